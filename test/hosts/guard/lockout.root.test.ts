import * as assert from 'uvu/assert'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'
import { enough, file, firewall, type GuardedHost, guardedHost, seconds, sshdFile } from '../../support/guarded-host.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'

const { test, before, after } = suite('a change that locks us out')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
let host: GuardedHost

before(async () => {
  host = await guardedHost(12, ssh)
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
