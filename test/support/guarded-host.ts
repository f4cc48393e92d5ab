import type { Problem } from '../../src/engine/problem.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { ufwTask } from '../../src/hosts/squid.ts'
import type { Ssh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { type HostOptions, makeHost, type TestHost } from './host.ts'
import { file as fileOf, problem, quiet } from './plays.ts'

/** How long changes that lock us out wait for a new login. Those that are confirmed have all the time they need. */
export const seconds = 6
export const enough = 60

/** Everything in 192.0.2.128/25 is us. */
export const firewall = (from: string, confirmSeconds = seconds): Task =>
  ufwTask({ ssh: { allow: [from], port: 22 }, proxy: { from: [from], ports: [3128] }, confirmSeconds })

export const file = (path: string, content: string, confirmSeconds = seconds): Task =>
  fileOf(path, content, { confirmSeconds })

export const sshdFile = (line: string, confirmSeconds = seconds): Task =>
  file('/etc/ssh/sshd_config.d/50-kapsule-egress.conf', `${line}\n`, confirmSeconds)

/** A host whose firewall is on and lets us in, and what these tests ask of it. */
export const guardedHost = async (slot: number, ssh: Ssh, options: HostOptions = {}) => {
  const host: TestHost = await makeHost(slot, options)
  const want = (tasks: Task[]): HostPlay => ({ host: host.address, tasks, handlers: {} })
  const look = async (tasks: Task[]) => (await hostPlay.read(want(tasks), { ssh }, quiet))!
  const apply = async (tasks: Task[]) => hostPlay.apply(want(tasks), { ssh }, await look(tasks), quiet)
  host.sh(`mkdir -p /etc/ssh/sshd_config.d
grep -q ^Include /etc/ssh/sshd_config || sed -i "1i Include /etc/ssh/sshd_config.d/*.conf" /etc/ssh/sshd_config`)
  await apply([firewall('192.0.2.128/25', enough)])
  // What the first start leaves out in chains that are not in use.
  host.sh('ufw reload')
  return {
    ...host,
    want,
    look,
    apply,
    async differs(tasks: Task[]) {
      return hostPlay.diff(want(tasks), await look(tasks))
    },
    refuses: (tasks: Task[]): Promise<Problem> => problem(apply(tasks)),
    /** Can anybody log in now, from outside and from the beginning? */
    letsIn: () =>
      ssh.fresh(host.address, { command: 'true', connectTimeoutSeconds: 1.5 }).then(
        ({ code }) => code === 0,
        () => false,
      ),
    armed: () => host.sh('cd /var/lib/kapsule-egress/guard; ls armed reverting 2>/dev/null; :') !== '',
    /** The change is done and waits. */
    ready: () => host.sh('cd /var/lib/kapsule-egress/guard && [ -e armed ] && cat ready 2>/dev/null; :') !== '',
    /** Everything that decides who gets in: files, and what the kernel and sshd have. */
    picture: () =>
      host.sh(`cd /etc; sha256sum ufw/*.rules ufw/ufw.conf default/ufw ssh/sshd_config $(ls -d ssh/sshd_config.d/*) ssh/keys
sshd -T; iptables -S; ip6tables -S
ip -o address show scope global; ip route; ip -6 route show proto static; ip rule
ls /etc/rcS.d /etc/systemd/system/sysinit.target.wants /etc/systemd/system`),
  }
}

export type GuardedHost = Awaited<ReturnType<typeof guardedHost>>
