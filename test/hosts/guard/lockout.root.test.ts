import * as assert from 'uvu/assert'
import type { Problem } from '../../../src/engine/problem.ts'
import { hostPlay } from '../../../src/hosts/play.ts'
import { createSsh, type Ssh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'
import { enough, file, firewall, type GuardedHost, guardedHost, seconds, sshdFile } from '../../support/guarded-host.ts'
import { quiet } from '../../support/plays.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'

const { test, before, after } = suite('a change that locks us out')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
let host: GuardedHost

before(async () => {
  host = await guardedHost(12, ssh)
  // Stands in for netplan, which is not on every machine: does what comments of the files say.
  host.sh(`cat >/usr/sbin/netplan <<'NETPLAN'
#!/bin/sh
[ "$1" != apply ] || sed -n 's/^# ip //p' /etc/netplan/*.yaml | while read -r words; do ip $words; done
NETPLAN
chmod 755 /usr/sbin/netplan`)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

/** Slot 12 is 192.0.2.178 and sees us as 192.0.2.177. */
const network = (run: string): Task => ({
  task: 'command',
  name: 'network',
  run,
  unless: 'false',
  guard: 'network',
  confirmSeconds: seconds,
})

for (const { when, task } of [
  { when: 'a firewall without us', task: firewall('198.51.100.0/24') },
  { when: 'an sshd that knows no key of ours', task: sshdFile('AuthorizedKeysFile /nowhere') },
  { when: 'an sshd on another port', task: sshdFile('Port 2222') },
  { when: 'keys without ours', task: file('/etc/ssh/keys', '') },
  {
    when: 'a route that sends our answers nowhere',
    task: network('ip route add unreachable 192.0.2.128/25; ip route del 192.0.2.176/30'),
  },
  { when: 'a rule that sends our answers nowhere', task: network('ip rule add pref 7 to 192.0.2.128/25 prohibit') },
  {
    when: 'an address of its own',
    task: network('ip address add 198.51.100.9/24 dev eth0; ip address del 192.0.2.178/30 dev eth0'),
  },
  {
    when: 'an ssh service that is stopped',
    task: { task: 'service', name: 'ssh', running: false, enabled: false, confirmSeconds: seconds },
  },
  {
    when: 'a file of netplan that sends our answers nowhere',
    task: file(
      '/etc/netplan/99-ours.yaml',
      '# ip route add unreachable 192.0.2.128/25\n# ip route del 192.0.2.176/30\n',
    ),
  },
  { when: 'an interface that is down', task: network('ip link set eth0 down') },
] as { when: string; task: Task }[])
  test(`${when} is taken back in time, to the letter, with all before it in the run`, async () => {
    const was = host.picture()
    const run = host.refuses([file('/etc/before-it', 'x'), task])
    assert.ok(await until(async () => host.ready() && !(await host.letsIn()), 60), 'it really locks us out')
    assert.ok(await until(host.letsIn, 60), 'and lets us in again')
    const { message, why } = await run
    assert.match(message, /failed; the host is as it was before/)
    assert.match(why, /no new login confirmed the change/)
    assert.is(host.picture(), was)
    assert.is(host.sh('ls /etc/before-it 2>/dev/null || echo gone').trim(), 'gone')
  })

const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)} of root`

for (const { when, task, ground, value, before, after } of [
  {
    when: 'a kernel setting',
    task: { task: 'sysctl', name: 'net.ipv4.conf.eth0.rp_filter', value: '2', confirmSeconds: seconds },
    ground: 'echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter',
    value: 'cat /proc/sys/net/ipv4/conf/eth0/rp_filter; ls /etc/sysctl.d | grep rp_filter || :',
    before: /^0\n$/,
    after: /^2\n99-zz-kapsule-egress-/,
  },
  {
    when: 'a key that goes',
    task: { task: 'authorizedKey', user: 'root', key, present: false, confirmSeconds: seconds },
    ground: `mkdir -p /root/.ssh; echo '${key}' >/root/.ssh/authorized_keys`,
    value: 'cat /root/.ssh/authorized_keys',
    before: /of root/,
    after: /^$/,
  },
] as { when: string; task: Task; ground: string; value: string; before: RegExp; after: RegExp }[])
  test(`${when} comes back when nobody logs in, and stays as wanted when we do`, async () => {
    host.sh(ground)
    const deaf: Ssh = { ...ssh, fresh: () => Promise.reject(new Error('nobody comes')) }
    const seen = await host.look([task])
    const thrown = await hostPlay
      .apply(host.want([task]), { ssh: deaf }, seen, quiet)
      .catch((error: unknown) => error as Problem)
    assert.match((thrown as Problem).why, /no new login confirmed the change/)
    assert.match(host.sh(value), before)
    await host.apply([task])
    assert.match(host.sh(value), after)
    assert.is(host.armed(), false)
  })

test('what sshd refuses never replaces a file, and needs no window', async () => {
  const was = host.picture()
  const began = Date.now()
  const { why } = await host.refuses([sshdFile('PermitRootLogn no', enough)])
  assert.match(why, /Bad configuration option: PermitRootLogn/)
  assert.ok(Date.now() - began < enough * 1000)
  assert.is(host.picture(), was)
})

test('what is good is confirmed by a new login, and leaves nothing armed', async () => {
  await host.apply([sshdFile('LoginGraceTime 77', enough)])
  assert.match(host.sh('sshd -T'), /^logingracetime 77$/m)
  assert.is(host.armed(), false)
  assert.is(host.sh('ls /etc/rcS.d'), '')
  assert.is(await host.differs([sshdFile('LoginGraceTime 77', enough)]), null)
})
