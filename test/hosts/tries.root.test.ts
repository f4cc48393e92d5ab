import * as assert from 'uvu/assert'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, heardBy, problem } from '../support/plays.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('tries and time limits on a real host')

const ssh = createSsh({ bootSeconds: 2, connectTimeoutSeconds: 20 })
const parts: string[] = []
const report = heardBy(parts)
let host: TestHost

before(async () => {
  host = await makeHost(25)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const playOf = (...tasks: Task[]): HostPlay => ({ host: host.address, tasks, handlers: {} })
const apply = async (want: HostPlay) =>
  hostPlay.apply(want, { ssh }, await hostPlay.read(want, { ssh }, report), report)
const third: Task = {
  task: 'command',
  name: 'third time lucky',
  run: 'echo x >>/run/tries; [ "$(wc -l </run/tries)" -ge 3 ]; touch /run/lucky',
  unless: 'test -e /run/lucky',
}

test('a change that fails is tried again, and each try is told', async () => {
  await apply(playOf({ ...third, retries: 3, delaySeconds: 0.2 }))
  assert.is(host.sh('wc -l </run/tries').trim(), '3')
  assert.equal(
    parts.filter(it => it.includes('tried again')),
    ['1', '2'].map(n => `test-25: command third time lucky: failed, tried again (${n} of 3)`),
  )
})

test('when the tries are over, the host is as it was before', async () => {
  host.sh('rm -f /run/tries /run/lucky; echo old >/etc/first')
  const { message } = await problem(
    apply(playOf(file('/etc/first', 'new\n'), { ...third, retries: 1, delaySeconds: 0 })),
  )
  assert.match(message, /test-25: command third time lucky failed; the host is as it was before/)
  assert.is(host.sh('wc -l </run/tries; cat /etc/first'), '2\nold\n')
})

test('a change that fails without a word is told with its exit code', async () => {
  const { why } = await problem(apply(playOf({ task: 'command', name: 'silent', run: '( exit 7 )', unless: 'false' })))
  assert.is(why, 'it ended with exit code 7 and said nothing')
})

for (const bad of [
  { run: "echo it's" },
  { run: '' },
  { run: '# later' },
  { run: 'cat <<END' },
  { run: 'true', unless: 'test -e "/x' },
  { run: 'true', undo: 'if true' },
])
  test(`${JSON.stringify(bad)} is told by its name, before anything is done`, async () => {
    const { exit, message, why } = await problem(
      apply(playOf(file('/etc/never', 'x'), { task: 'command', name: 'odd', unless: 'false', ...bad })),
    )
    assert.is(exit, 2)
    assert.match(message, /command odd is no sh/)
    assert.ok(why)
    assert.is(host.sh('ls /etc/never 2>/dev/null; :'), '')
  })

test('a question with quotes, brackets and a comment at its end is asked as it is', async () => {
  const unless = `[ "$(printf '%s' "a }b")" = 'a }b' ] # it's so`
  await apply(playOf({ task: 'command', name: 'quotes', run: 'exit 1', unless }))
})

test('what a question leaves running keeps no change waiting', async () => {
  const sleeper = 'sleep 6007 & test -e /run/asked'
  try {
    await apply(playOf({ task: 'command', name: 'asked', run: 'touch /run/asked', unless: sleeper }))
  } finally {
    host.sh('pkill -f "[s]leep 6007" || :')
  }
})

test('a change that takes longer than its time fails, ends with all it started, and is taken back', async () => {
  const slow: Task = {
    task: 'command',
    name: 'slow',
    run: 'sleep 47 & sh -c "trap : TERM; sleep 48; sleep 49"; touch /run/slow',
    unless: 'test -e /run/slow',
    timeoutSeconds: 1,
  }
  const began = Date.now()
  const { message, why } = await problem(apply(playOf(file('/etc/first', 'new\n'), slow)))
  assert.ok(Date.now() - began < 35_000, `${Date.now() - began} ms`)
  assert.match(message, /command slow failed; the host is as it was before/)
  assert.match(why, /not done within 1 s/)
  assert.is(
    host.sh('cat /etc/first; pgrep -f "^sleep 4[789]" || echo none; ls /run/slow 2>/dev/null || echo no'),
    'old\nnone\nno\n',
  )
})

test('each try has its own time', async () => {
  const once: Task = {
    task: 'command',
    name: 'slow once',
    run: 'if [ ! -e /run/once ]; then touch /run/once; sleep 46; fi; touch /run/twice',
    unless: 'test -e /run/twice',
    timeoutSeconds: 3,
    retries: 1,
    delaySeconds: 0,
  }
  const want = playOf(once)
  assert.is(hostPlay.diff(want, await apply(want)), null)
})

test('with a time limit a file is written, backed up and restored as without', async () => {
  const content = "KE_TIMED\nB64\n'$(touch /run/pwned)\\\n"
  const limited = { timeoutSeconds: 20 }
  const want = playOf({ ...file('/etc/first', content), ...limited }, { ...file('/etc/bad', ''), ...limited })
  const before = (await hostPlay.read(want, { ssh }, report))!
  const now = await hostPlay.apply(want, { ssh }, before, report)
  assert.is(host.sh('cat /etc/first; ls /run/pwned 2>/dev/null || echo no'), `${content}no\n`)
  assert.is(host.sh('cat /var/lib/kapsule-egress/backup/*/etc/first | tail -n 1'), 'old\n')
  await hostPlay.undo!(want, { ssh }, before, now, report)
  assert.equal(await hostPlay.read(want, { ssh }, report), before)
  // What fails inside is a failure outside, with its words.
  const refused = { ...file('/etc/first', content, { check: 'echo not this one; false {}' }), timeoutSeconds: 20 }
  assert.match((await problem(apply(playOf(refused)))).why, /not this one/)
  assert.is(host.sh('cat /etc/first'), 'old\n')
})

test('what could cut us off is not tried again', async () => {
  const firewall: Task = {
    task: 'ufw',
    rules: [],
    defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
    enabled: true,
    retries: 1,
  }
  await hostPlay.read(playOf(firewall), { ssh }, report).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /could cut us off/),
  )
})
