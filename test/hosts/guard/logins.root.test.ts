import * as assert from 'uvu/assert'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'
import { enough, type GuardedHost, guardedHost, seconds } from '../../support/guarded-host.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'

const { test, before, after } = suite('rights and keys that keep us out')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
let host: GuardedHost

// As it is everywhere but on other test hosts: keys in the home, and sshd looks at who may write there.
before(async () => {
  host = await guardedHost(14, ssh)
  host.sh(`mkdir -p /root/.ssh /home/ops && chmod 700 /root /root/.ssh && cp /etc/ssh/keys /root/.ssh/authorized_keys
sed -i -e 's|^AuthorizedKeysFile.*|AuthorizedKeysFile .ssh/authorized_keys|' -e 's/^StrictModes no/StrictModes yes/' /etc/ssh/sshd_config
printf 'true\\n' >/root/.bashrc
if sshd -t -o PerSourcePenalties=no 2>/dev/null; then sed -i '1i PerSourcePenalties no' /etc/ssh/sshd_config; fi
kill -HUP "$(cat /run/sshd.pid)"`)
  assert.ok(await until(host.letsIn, 60))
})
after(async () => {
  await ssh.close()
  await host?.down()
})

const root: Task = { task: 'directory', path: '/root', mode: '0777', owner: 'root', group: 'root' }
const command = (run: string, guard: 'login' | 'network'): Task => ({
  ...{ task: 'command', name: 'c', run, unless: 'false', guard, confirmSeconds: seconds },
})
const logins = () =>
  host.sh(`stat -c '%a %u:%g %n' /root /root/.ssh /root/.ssh/authorized_keys /root/.bashrc
cat /root/.ssh/authorized_keys /root/.bashrc /etc/passwd; ls -A /root/.ssh; cat /proc/sys/net/ipv4/conf/*/forwarding`)

for (const [what, task] of [
  ['a home that all may write to', { ...root, confirmSeconds: seconds }],
  ['a home of somebody else', { ...root, mode: '0700', owner: 'daemon', confirmSeconds: seconds }],
  ['keys away and a home open, by a command', command('rm /root/.ssh/authorized_keys; chmod 2777 /root', 'login')],
  ['a file that ends every command by SSH', { ...bashrc('exit 1\n'), confirmSeconds: seconds }],
] as [string, Task][])
  test(`${what}: taken back in time, to the letter`, async () => {
    const was = logins()
    const refused = host.refuses([task])
    assert.ok(await until(async () => host.ready() && !(await host.letsIn()), 60), 'it really locks us out')
    assert.ok(await until(host.letsIn, 60), 'and lets us in again')
    assert.match((await refused).why, /no new login confirmed the change/)
    assert.is(logins(), was)
    assert.is(host.armed(), false)
  })

test('kernel settings of a command that fails are taken back', async () => {
  const was = logins()
  await host.refuses([
    command('for it in /proc/sys/net/ipv4/conf/*/forwarding; do echo 1 >$it; done; exit 3', 'network'),
  ])
  assert.is(logins(), was)
})

test('rights that let us in are confirmed', async () => {
  await host.apply([{ ...root, mode: '0755', confirmSeconds: enough }])
  assert.is(host.sh('stat -c %a /root').trim(), '755')
  assert.is(await host.differs([{ ...root, mode: '0755' }]), null)
})

function bashrc(content: string): Task {
  return { task: 'file', path: '/root/.bashrc', content, mode: '0644', owner: 'root', group: 'root' }
}
