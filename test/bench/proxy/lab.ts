import { execFileSync } from 'node:child_process'
import { hostPlay } from '../../../src/hosts/play.ts'
import { squidTasks } from '../../../src/hosts/squid.ts'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Policy, Rule } from '../../../src/policy/policy.ts'
import { quiet } from '../../support/plays.ts'
import { makeProxyLab } from '../../support/proxy-lab.ts'
import { makeLoad } from './load.ts'
import { spent } from './spent.ts'

/** One host on which our Squid stands beside others, and what asks them, all in one network namespace. */
export type Lab = Awaited<ReturnType<typeof openLab>>

/** Names that exist: this and everything below. */
export const zone = 'bench.test'
export const ours = 3128

/** `seen`: all there is to say about another Squid; `http_port` is added. */
export const openLab = async (others: Record<number, string> = {}) => {
  const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
  const lab = await makeProxyLab(31, {
    origins: ['203.0.113.10'],
    names: { [`.${zone}`]: ['203.0.113.10'] },
    origin: new URL('origin.mjs', import.meta.url),
  })
  const { host, netns } = lab
  const load = makeLoad(netns)
  const down = async () => {
    load.close()
    await ssh.close()
    await lab.down()
  }
  /** The policy comes into force as in a run, over SSH; `only`: nothing else is looked at. When its writing began. */
  const install = async (policy: Policy, only?: 'policy') => {
    const all = squidTasks({
      hostName: 'proxy-1',
      tenants: [{ name: policy.tenant, port: ours, clients: ['192.0.2.128/25'], policy }],
      inner: ['192.0.2.128/25'],
      nameservers: ['127.0.0.1'],
    })
    const tasks = only ? all.tasks.filter(it => it.task === only) : all.tasks
    const play = { host: host.address, tasks, handlers: all.handlers }
    const seen = await hostPlay.read(play, { ssh }, quiet)
    const began = Date.now()
    await hostPlay.apply(play, { ssh }, seen!, quiet)
    return began
  }
  try {
    // Tunnels are many and short: their ports may serve again at once.
    for (const it of ['net.ipv4.tcp_tw_reuse=1', 'net.ipv4.ip_local_port_range=5000 65000', 'net.core.somaxconn=4096'])
      execFileSync('ip', ['netns', 'exec', netns, 'sysctl', '-qw', it])
    await install(policyOf([`.${zone}`]))
    for (const [port, conf] of Object.entries(others)) {
      const file = `/etc/squid/other-${port}.conf`
      host.sh(`cat >${file} <<'CONF'
http_port ${port}
${conf}
pid_filename /run/squid-${port}.pid
cache_log /var/log/squid/other-${port}.cache.log
dns_nameservers 127.0.0.1
visible_hostname other
CONF
squid -n other${port} -f ${file}
for n in $(seq 500); do grep -q ':${Number(port).toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6 && exit; sleep 0.02; done
tail -n 5 /var/log/squid/other-${port}.cache.log >&2; exit 1`)
    }
    return { host, netns, address: host.address.address, load, install, down, spent: () => spent(netns) }
  } catch (error) {
    await down()
    throw error
  }
}

export const allow = (name: string): Rule => ({
  ...{ id: `allow:${name}`, effect: 'allow', name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
})
export const policyOf = (names: string[]): Policy => ({ tenant: 'client-a', mode: 'enforce', rules: names.map(allow) })
