import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { confirmation } from '../../../src/hosts/guard/guard.ts'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'
import { file, firewall, type GuardedHost, guardedHost, seconds, sshdFile } from '../../support/guarded-host.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'

const { test, before, after } = suite('who dies while a change waits')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
const others = firewall('198.51.100.0/24')
let host: GuardedHost

before(async () => {
  host = await guardedHost(13, ssh)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

/** An operator's machine of its own: looks, changes, and says what it hears. */
const operator = (tasks: Task[]): ChildProcess & { heard: () => string } => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../support/operator.ts', import.meta.url)), JSON.stringify(host.want(tasks))],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  child.stdout!.on('data', chunk => {
    text += chunk
  })
  return Object.assign(child, { heard: () => text })
}

const kill = async (child: ChildProcess) => {
  const ended = child.exitCode !== null || child.signalCode !== null || once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Nothing waits any more, nobody holds the lock, and we get in. */
const settled = () =>
  until(
    async () => !host.armed() && host.sh('flock -n /var/lib/kapsule-egress/lock echo free; :') !== '' && host.letsIn(),
    seconds + 60,
  )

const good = [file('/etc/before-it', 'x'), sshdFile('LoginGraceTime 66'), file('/etc/after-it', 'x')]
const bad = [file('/etc/before-it', 'x'), others]

for (const { when, tasks, at, confirmed } of [
  { when: 'armed, before the change is done', tasks: bad, at: () => host.armed(), confirmed: false },
  { when: 'the change is done and shuts us out', tasks: bad, at: () => host.ready(), confirmed: false },
  { when: 'sshd has it, before a new login', tasks: good, at: () => host.armed(), confirmed: 'perhaps' },
  {
    when: 'just confirmed, before the rest',
    tasks: good,
    at: () =>
      host.sh(
        'grep -qs 66 /etc/ssh/sshd_config.d/* && [ -e /var/lib/kapsule-egress/guard/confirmed ] && echo yes; :',
      ) !== '',
    confirmed: true,
  },
] as { when: string; tasks: Task[]; at: () => boolean; confirmed: boolean | 'perhaps' }[])
  test(`the operator's machine is killed: ${when}`, async () => {
    const was = host.picture()
    const child = operator(tasks)
    assert.ok(await until(at, 60), child.heard())
    await kill(child)
    assert.ok(await settled())
    const left = await host.differs(tasks)
    const taken = host.picture() === was && host.sh('ls /etc/before-it /etc/after-it 2>/dev/null; :') === ''
    if (confirmed === true) assert.is(left, null)
    else if (confirmed === false) assert.ok(taken)
    else assert.ok(left === null || taken, 'all of it or nothing')
    host.sh('rm -f /etc/before-it /etc/after-it /etc/ssh/sshd_config.d/*; kill -HUP $(cat /run/sshd.pid)')
    assert.ok(await until(host.letsIn, 60))
  })

for (let n = 0; n < 8; n++)
  test(`the operator's machine is killed at a moment of its own, ${n}`, async () => {
    const was = host.picture()
    const child = operator(good)
    await until(() => child.heard().includes('begin'), 60)
    await sleep(n * 120)
    await kill(child)
    assert.ok(await settled())
    const left = await host.differs(good)
    const taken = host.picture() === was && host.sh('ls /etc/before-it /etc/after-it 2>/dev/null; :') === ''
    assert.ok(left === null || taken, `all of it or nothing: ${JSON.stringify(left)}`)
    host.sh('rm -f /etc/before-it /etc/after-it /etc/ssh/sshd_config.d/*; kill -HUP $(cat /run/sshd.pid)')
    assert.ok(await until(host.letsIn, 60))
  })

test('every SSH session on the host is killed while it waits: it still comes back', async () => {
  const was = host.picture()
  const run = host.refuses(bad)
  assert.ok(await until(host.ready, 60))
  // Whatever serves a session, and not the listener.
  host.sh("for it in $(ps -eo pid=,args= | sed -n 's/^ *\\([0-9]*\\) sshd: .*@.*/\\1/p'); do kill -9 $it; done")
  assert.is(await host.letsIn(), false)
  const { message, why } = await run
  assert.match(message, /failed; the host is as it was before/)
  assert.match(why, /no new login confirmed/)
  assert.ok(await settled())
  assert.is(host.picture(), was)
})

test('the runner on the host is killed: the change is taken back at once', async () => {
  const was = host.picture()
  const run = host.refuses(bad)
  assert.ok(await until(host.armed, 60))
  host.sh('kill -9 $(cat /var/lib/kapsule-egress/guard/runner)')
  await run
  assert.ok(await settled())
  assert.is(host.picture(), was)
  host.sh('rm -f /etc/before-it')
})

for (const { when, task } of [
  { when: 'a firewall without us', task: others },
  { when: 'an sshd without our keys', task: sshdFile('AuthorizedKeysFile /nowhere') },
])
  test(`the power is cut while ${when} waits: the host boots with what was before`, async () => {
    const was = host.picture()
    const run = host.refuses([task])
    assert.ok(await until(host.ready, 60))
    await host.reboot()
    await run
    assert.ok(await host.letsIn(), 'at once, without waiting for a window')
    assert.is(host.armed(), false)
    assert.is(host.picture(), was)
  })

test('the power is cut in the middle of the change', async () => {
  const was = host.picture()
  const run = host.refuses([others])
  assert.ok(await until(host.armed, 60))
  await host.reboot()
  await run
  assert.ok(await host.letsIn())
  assert.is(host.picture(), was)
})

test('only a login that is new and from outside confirms', async () => {
  const old = await ssh.exec(host.address, { command: 'true' })
  assert.is(old.code, 0)
  const run = host.refuses([others])
  assert.ok(await until(host.ready, 60))
  const id = host.sh('cat /var/lib/kapsule-egress/guard/armed').trim()
  const script = confirmation(id)
  // The connection of before the change is still there, and can run commands.
  const stale = await ssh.exec(host.address, { command: 'sh -s', stdin: script })
  assert.match(stale.stdout, /older than the change/)
  const inside = await ssh.exec(host.address, {
    command: `SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' sh -s`,
    stdin: script,
  })
  assert.match(inside.stdout, /older than the change|the host itself/)
  // Root by sudo has none of the login's variables: they are found further up.
  const bare = await ssh.exec(host.address, { command: 'env -i /bin/sh -s; exit $?', stdin: script })
  assert.match(bare.stdout, /older than the change/)
  assert.throws(() => host.sh(`sh -s <<'X'\n${script}\nX`), /no SSH login/)
  const another = await ssh.exec(host.address, { command: 'sh -s', stdin: confirmation('another') })
  assert.match(another.stdout, /nothing waits for this run/)
  assert.is((await run).message.includes('as it was before'), true)
})
