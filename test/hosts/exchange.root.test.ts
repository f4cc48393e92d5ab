import * as assert from 'uvu/assert'
import type { Problem } from '../../src/engine/problem.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, problem, quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('exchanges with a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

before(async () => {
  host = await makeHost(5)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const playOf = (tasks: Task[], handlers: Record<string, string> = {}): HostPlay => ({
  host: host.address,
  tasks,
  handlers,
})
const has = (path: string) => host.sh(`ls ${path} 2>/dev/null || :`) !== ''
const look = async (it: HostPlay) => (await hostPlay.read(it, { ssh }, quiet))!

test('a host that lacks programs is told so, before anything is done', async () => {
  host.sh('mv /usr/bin/flock /usr/bin/stat /root')
  try {
    const { message, why } = await problem(look(playOf([file('/etc/first', 'x')])))
    assert.match(message, /lacks programs/)
    assert.match(why, /it has no flock stat$/)
  } finally {
    host.sh('mv /root/flock /root/stat /usr/bin')
  }
})

test('a look does not wait for a process that only has the number of a timer', async () => {
  host.sh('d=/var/lib/kapsule-egress/guard; mkdir -p $d; echo x >$d/armed; echo 1 >$d/timer')
  try {
    const began = Date.now()
    await look(playOf([file('/etc/first', 'x')]))
    assert.ok(Date.now() - began < 60_000)
  } finally {
    host.sh('rm -r /var/lib/kapsule-egress/guard')
  }
})

test('a look waits for a change that still runs', async () => {
  const slow = playOf([
    { task: 'command', name: 'slow', run: 'touch /run/begun; sleep 2; touch /run/slow', unless: 'test -e /run/slow' },
  ])
  const running = hostPlay.apply(slow, { ssh }, await look(slow), quiet)
  assert.ok(await until(() => has('/run/begun'), 30))
  assert.equal((await look(slow)).states, { 'command slow': { done: true } })
  await running
})

test('a change whose connection ends is finished by the host, and heard of on another', async () => {
  const own = createSsh({ bootSeconds: 0 })
  const slow = playOf(
    [1, 2].map(n => ({
      task: 'command',
      name: `late ${n}`,
      run: `touch /run/began${n}; sleep 1; touch /run/late${n}`,
      unless: `test -e /run/late${n}`,
    })),
  )
  const seen = await hostPlay.read(slow, { ssh: own }, quiet)
  const done: string[] = []
  const ended = hostPlay.apply(slow, { ssh: own }, seen, { ...quiet, progress: it => done.push(it) })
  assert.ok(await until(() => has('/run/began1'), 30))
  host.sh("kill $(pgrep -n -f 'sshd: root@nott[y]')")
  assert.is(hostPlay.diff(slow, await ended), null)
  assert.equal(done, ['test-5: command late 1', 'test-5: command late 2'])
  await own.close()
})

test('a host that is killed in the middle of a change has whole files, and owes its handlers', async () => {
  const first: Task = { ...file('/etc/first', 'new\n'), notify: ['count'] } as Task
  const stop: Task = { task: 'command', name: 'hang', run: 'touch /run/hangs; sleep 90', unless: 'test -e /run/go-on' }
  const want = playOf([first, stop, file('/etc/last', 'new\n')], { count: 'echo ran >>/run/counted' })
  const ended = hostPlay.apply(want, { ssh }, await look(want), quiet).catch((it: unknown) => it)
  assert.ok(await until(() => has('/run/hangs'), 30))
  // The shell that runs the bundle, and what it runs: as a power cut leaves no time to take anything back.
  host.sh("kill -9 $(pgrep -f '^sh -s') $(pgrep -f '^sleep 90')")
  const { message, why } = (await ended) as Problem
  assert.match(message, /^test-\d+: the change was cut short on the host$/)
  assert.match(why, /^done: \/etc\/first; in doubt: command hang; not begun: \/etc\/last \(/)
  assert.is(host.sh('cat /etc/first'), 'new\n')
  host.sh('touch /run/go-on')
  const names = hostPlay.diff(want, await look(want))?.details?.map(it => it.name)
  assert.equal(names, ['/etc/last', 'handler count'])
  assert.is(hostPlay.diff(want, await hostPlay.apply(want, { ssh }, await look(want), quiet)), null)
  assert.is(host.sh('cat /run/counted'), 'ran\n')
})

test('a disk that fills up after a change forgets no handler', async () => {
  const handlers = { early: 'echo >>/run/early', late: 'echo >>/run/late' }
  const one: Task = {
    ...{ task: 'file', path: '/etc/filled', content: 'new', mode: '0644', owner: 'root', group: 'root' },
    notify: ['early', 'late'],
  }
  const want = playOf([one], handlers)
  host.sh('mkdir -p /var/lib/kapsule-egress; ln -s /dev/full /var/lib/kapsule-egress/pending.new')
  const thrown = await hostPlay.apply(want, { ssh }, null, quiet).catch((error: unknown) => error as Problem)
  host.sh('rm /var/lib/kapsule-egress/pending.new')
  assert.match(String(thrown), /changes did not hold: handler early, handler late/)
  assert.is(host.sh('wc -l </run/late').trim(), '1')
  const seen = (await hostPlay.read(want, { ssh }, quiet))!
  assert.equal(seen.pending, ['early', 'late'])
  assert.equal((await hostPlay.apply(want, { ssh }, seen, quiet)).pending, [])
})

test('handlers run once each in their order, and a health check that a killed run still owed is asked', async () => {
  const say = (word: string) => `echo ${word} >>/run/order`
  const tasks = ['one', 'two', 'three'].map(
    (it, at) => ({ ...file(`/etc/${it}`, 'new\n'), notify: at === 1 ? ['second', 'first'] : ['second'] }) as Task,
  )
  const handlers = { first: say('first'), second: say('second'), third: say('third') }
  const want: HostPlay = { ...playOf(tasks, handlers), health: [{ command: 'test -e /run/well', withinSeconds: 90 }] }
  const ended = hostPlay.apply(want, { ssh }, await look(want), quiet).catch((it: unknown) => it)
  assert.ok(await until(() => host.sh('cat /run/order 2>/dev/null || :') === 'first\nsecond\n', 30))
  host.sh("kill -9 $(pgrep -f '^sh -s')")
  const { why } = (await ended) as Problem
  assert.match(
    why,
    /^done: \/etc\/one, \/etc\/two, \/etc\/three, handler first, handler second; in doubt: .* health checks/,
  )
  const seen = await look(want)
  assert.equal(seen.pending, ['health check'])
  assert.equal(
    hostPlay.diff(want, seen)?.details?.map(it => it.name),
    ['health check'],
  )
  const soon = { ...want, health: [{ command: 'test -e /run/well', withinSeconds: 0 }] }
  assert.match(
    String(await hostPlay.apply(soon, { ssh }, seen, quiet).catch((it: unknown) => it)),
    /health check .* failed/,
  )
  host.sh('touch /run/well')
  assert.is(hostPlay.diff(want, await hostPlay.apply(want, { ssh }, await look(want), quiet)), null)
  assert.is(host.sh('cat /run/order'), 'first\nsecond\n')
})

test('any bytes a file can hold arrive as they are, and never run', async () => {
  const nasty = 'B64\n\'; touch /run/pwned; $(touch /run/pwned) `touch /run/pwned` \\ "\n\u0000 é\n'
  const lines = 'a KE_TEXT\n\'; touch /run/pwned; $(touch /run/pwned) `touch /run/pwned` \\ "\n\tKE_TEXT\\\n'
  const want = playOf([
    file('/etc/nasty', nasty),
    file('/etc/lines', lines),
    file('/etc/ending', `KE_TEXT\ntouch /run/pwned\n`),
    file("/etc/na'me $(x)", ''),
    file('/etc/large', 'x'.repeat(1024 * 1024 + 5)),
  ])
  const before = await look(want)
  const now = await hostPlay.apply(want, { ssh }, before, quiet)
  assert.is(hostPlay.diff(want, now), null)
  assert.is(host.sh('base64 -w0 /etc/nasty'), Buffer.from(nasty).toString('base64'))
  assert.is(host.sh('cat /etc/lines'), lines)
  assert.is(host.sh('ls /run/pwned 2>/dev/null || echo no').trim(), 'no')
  // Over 1 MB only a hash travels back; the bytes come from the backup on the host.
  const other = playOf([file('/etc/large', 'y')])
  const large = await look(other)
  const small = await hostPlay.apply(other, { ssh }, large, quiet)
  await hostPlay.undo!(other, { ssh }, large, small, quiet)
  assert.equal(await look(other), large)
})

test('a change taken back brings a large file from the host itself', async () => {
  const text = 'a line\n'.repeat(20_000)
  await hostPlay.apply(playOf([file('/etc/lengthy', text)]), { ssh }, null, quiet)
  const want = playOf([file('/etc/lengthy', 'short\n'), { task: 'port' as const, port: 9, seconds: 0 }])
  const before = await look(want)
  let sent = 0
  const counting: typeof ssh = {
    ...ssh,
    exec(address, exec) {
      sent += exec.stdin?.length ?? 0
      return ssh.exec(address, exec)
    },
  }
  const thrown = await hostPlay.apply(want, { ssh: counting }, before, quiet).catch((it: unknown) => it)
  assert.match(String(thrown), /port 9 failed; the host is as it was before/)
  assert.ok(sent > 0 && sent < text.length, `${sent} bytes`)
  assert.equal(await look(want), before)
})

test('a disk that is full leaves the old file, and says why', async () => {
  host.sh('mkdir -p /mnt/full && mount -t tmpfs -o size=64k tmpfs /mnt/full && echo old >/mnt/full/x')
  const want = playOf([file('/mnt/full/x', 'n'.repeat(200_000))])
  const thrown = await hostPlay
    .apply(want, { ssh }, await look(want), quiet)
    .catch((it: unknown) => it as Error & { why: string })
  assert.match((thrown as { why: string }).why, /No space left/)
  assert.is(host.sh('cat /mnt/full/x; ls -A /mnt/full'), 'old\nx\n')
})

test('a look says the same of a file that is as wanted as of one that is not', async () => {
  const names = ['plain', 'with blank', "quote'd", 'back\\slash', 'br\neak', '$(touch oops)', '-dash', '*', 'pipe|d']
  const content = 'one\ntwo\n\n'
  const wanted = names.map(it => file(`/root/looks/${it}`, content))
  await hostPlay.apply(playOf(wanted), { ssh }, null, quiet)
  host.sh(
    'cd /root/looks; : >empty; ln -s plain link; mkdir dir; mkfifo fifo; printf "one\ntwo\n\n" >open; chmod 644 open',
  )
  const odd = ['link', 'dir', 'fifo', 'open', 'absent'].map(it => file(`/root/looks/${it}`, content))
  const here = [...wanted, ...odd, file('/root/looks/empty', '')]
  const other = here.map(it => ({ ...it, content: 'something else' }) as Task)
  const asWanted = await look(playOf(here))
  assert.equal(asWanted, await look(playOf(other)))
  assert.is(host.sh('ls /root/oops 2>/dev/null || echo none').trim(), 'none')
  assert.equal(
    (hostPlay.diff(playOf(here), asWanted)?.details ?? []).map(it => it.name),
    [...odd.map(it => `/root/looks/${'path' in it && it.path.slice(12)}`), '/root/looks/empty'],
  )
})
