import * as assert from 'uvu/assert'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { type Wire, wireTo } from '../support/wire.ts'

const { test, before, after } = suite('connections that end in the middle')

let host: TestHost
let sizes: { look: Bytes; all: Bytes }
type Bytes = { up: number; down: number }
type Cut = { direction: 'up' | 'down'; bytes: number }

before(async () => {
  host = await makeHost(8)
  sizes = await overWire(null, async (want, wire, ssh) => {
    const seen = await hostPlay.read(want, { ssh }, quiet)
    const look = wire.bytes()
    await hostPlay.apply(want, { ssh }, seen, quiet)
    return { look, all: wire.bytes() }
  })
})

after(async () => {
  await host?.down()
})

const counted = (path: string, content: string) => file(path, content, { notify: ['count'] })

const once: Task = {
  task: 'command',
  name: 'once',
  run: 'sleep 0.2; echo ran >>/etc/drop/ran',
  unless: 'test -e /etc/drop/ran',
}

/** A pristine host, and a wire to it whose first connection ends where `cut` says. */
const overWire = async <T>(
  cut: Cut | null,
  run: (want: HostPlay, wire: Wire, ssh: ReturnType<typeof createSsh>) => Promise<T>,
): Promise<T> => {
  host.sh('rm -rf /etc/drop && mkdir /etc/drop')
  const wire = await wireTo(host.address.address, 22, { cutAfter: n => (n === 0 ? cut : null) })
  const ssh = createSsh({ bootSeconds: 10, connectTimeoutSeconds: 20, retrySeconds: 0.1 })
  const want: HostPlay = {
    host: { ...host.address, address: '127.0.0.1', port: wire.port },
    tasks: [counted('/etc/drop/first', 'first\n'.repeat(2000)), once, counted('/etc/drop/last', 'last\n')],
    handlers: { count: 'echo handled >>/etc/drop/handled' },
  }
  try {
    return await run(want, wire, ssh)
  } finally {
    await ssh.close()
    await wire.close()
  }
}

/** What the command under way does first. */
const begins = async (path: string) =>
  assert.ok(await until(() => host.sh(`ls ${path} 2>/dev/null || :`) !== '', 30), `${path} did not come`)

/** Spread over the whole of it, and none at the same place twice. */
const offsets = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, n) => Math.floor(from + ((to - from) * (n + Math.random())) / count))

test('a look is asked again, wherever its connection ends', async () => {
  let again = 0
  for (const direction of ['up', 'down'] as const)
    for (const bytes of offsets(1, sizes.look[direction], 11))
      await overWire({ direction, bytes }, async (want, wire, ssh) => {
        const seen = await hostPlay.read(want, { ssh }, quiet)
        assert.is(hostPlay.diff(want, seen)?.details?.length, 4, `${direction} ${bytes}`)
        again += wire.connections() - 1
      })
  // The last bytes only say good-bye: a look that lost those has its answer.
  assert.ok(again >= 17 && again <= 22, `${again} of 22 asked again`)
})

test('a change is picked up again, wherever its connection ends, and made once', async () => {
  for (const direction of ['up', 'down'] as const)
    for (const bytes of offsets(sizes.look[direction] + 1, sizes.all[direction], 14))
      await overWire({ direction, bytes }, async (want, _wire, ssh) => {
        const when = `${direction} ${bytes} of ${sizes.all[direction]}`
        const seen = await hostPlay.read(want, { ssh }, quiet)
        const now = await hostPlay.apply(want, { ssh }, seen, quiet)
        assert.is(hostPlay.diff(want, now), null, when)
        assert.is(
          host.sh('cat /etc/drop/ran /etc/drop/handled; ls -A /etc/drop'),
          'ran\nhandled\nfirst\nhandled\nlast\nran\n',
          when,
        )
      })
})

test('a change that fails while nobody listens is told, and taken back', async () => {
  await overWire(null, async (want, wire, ssh) => {
    const bad: Task = {
      task: 'command',
      name: 'bad',
      run: 'touch /run/begun; sleep 1; echo reason; exit 1',
      unless: 'false',
    }
    const failing = { ...want, tasks: [counted('/etc/drop/first', 'x'), bad] }
    const seen = await hostPlay.read(failing, { ssh }, quiet)
    const ended = hostPlay.apply(failing, { ssh }, seen, quiet).catch((it: unknown) => it)
    await begins('/run/begun')
    wire.cut()
    const thrown = (await ended) as Error & { why: string }
    assert.match(thrown.message, /command bad failed; the host is as it was before/)
    assert.match(thrown.why, /reason/)
    assert.is(host.sh('ls -A /etc/drop'), '')
  })
})

test('a change sent twice is made once', async () => {
  const { bundleScript } = await import('../../src/hosts/bundle.ts')
  host.sh('rm -rf /etc/drop && mkdir /etc/drop')
  const ssh = createSsh({ bootSeconds: 0 })
  const step = { title: 't', run: 'sleep 0.3; echo x >>/etc/drop/x', back: ':', notify: [], live: false, guard: null }
  const stdin = bundleScript({ steps: [step], handlers: {} }, { mark: 'KE-test', run: 'twice' })
  const [first, second] = await Promise.all([1, 2].map(() => ssh.exec(host.address, { command: 'sh -s', stdin })))
  assert.is(first!.stdout, 'KE-test begin\nKE-test ok 1\nKE-test end ok\n')
  assert.is(second!.stdout, first!.stdout)
  assert.is(host.sh('cat /etc/drop/x'), 'x\n')
  await ssh.close()
})

test('a link of 1 kB/s is slow, not dead: a play looks, changes and finds nothing more to do', async () => {
  host.sh('rm -rf /etc/drop && mkdir /etc/drop')
  const wire = await wireTo(host.address.address, 22, { bytesPerSecond: 1000 })
  const ssh = createSsh({ bootSeconds: 0 })
  const slow = { ...host.address, address: '127.0.0.1', port: wire.port }
  const want: HostPlay = {
    host: slow,
    tasks: [counted('/etc/drop/first', Array.from({ length: 16_000 }, (_, n) => n % 10).join(''))],
    handlers: { count: ':' },
  }
  const since = Date.now()
  const seen = await hostPlay.read(want, { ssh }, quiet)
  const now = await hostPlay.apply(want, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(want, now), null)
  assert.ok(Date.now() - since > 25_000, `${Date.now() - since} ms`)
  assert.is(wire.connections(), 1)
  await ssh.close()
  await wire.close()
})

test('a host that falls silent in the middle of a look is left for a new connection', async () => {
  const wire = await wireTo(host.address.address, 22)
  const ssh = createSsh({ bootSeconds: 5 })
  const silent = { ...host.address, address: '127.0.0.1', port: wire.port }
  const ended = ssh.exec(silent, { command: 'touch /run/silent; sleep 2', repeatable: true })
  await begins('/run/silent')
  wire.freeze()
  await ended
  assert.is(wire.connections(), 2)
  await ssh.close()
  await wire.close()
})

test('a host that is away for some seconds in the middle of a look is waited for', async () => {
  const wire = await wireTo(host.address.address, 22)
  const ssh = createSsh({ bootSeconds: 0, retrySeconds: 0.2 })
  const waits: string[] = []
  const ended = ssh.exec(
    { ...host.address, address: '127.0.0.1', port: wire.port },
    { command: 'touch /run/away; sleep 2; echo seen', repeatable: true, waiting: it => waits.push(it) },
  )
  await begins('/run/away')
  wire.cutFor(4)
  assert.is((await ended).stdout, 'seen\n')
  assert.match(waits.join('\n'), /asked again/)
  await ssh.close()
  await wire.close()
})

test('a bastion that goes away in the middle of a look is gone through again', async () => {
  const wire = await wireTo(host.address.address, 22)
  const ssh = createSsh({ bootSeconds: 5 })
  const jump = { ...host.address, name: 'bastion', address: '127.0.0.1', port: wire.port }
  const through = { ...host.address, address: '127.0.0.1', jump }
  const ended = ssh.exec(through, { command: 'touch /run/through; sleep 2; echo seen', repeatable: true })
  await begins('/run/through')
  wire.cut()
  assert.is((await ended).stdout, 'seen\n')
  assert.is(wire.connections(), 2)
  await ssh.close()
  await wire.close()
})

test('handshakes that a busy server drops are tried again', async () => {
  const ssh = createSsh({ bootSeconds: 60, retrySeconds: 0.5 })
  // Of 50 logins at once it drops every other one that comes while four are under way.
  const port = 2224
  host.sh(`/usr/sbin/sshd -p ${port} -o MaxStartups=4:50:100 -o PidFile=/run/busy.pid`)
  const waits: string[] = []
  const logins = Array.from({ length: 50 }, (_, n) =>
    ssh.exec(
      { ...host.address, port, knownHosts: [`/nowhere/${n}`] },
      { command: 'true', waiting: it => waits.push(it) },
    ),
  )
  assert.equal([...new Set((await Promise.all(logins)).map(it => it.code))], [0])
  assert.ok(waits.length > 0, 'none was dropped')
  await ssh.close()
  host.sh('kill $(cat /run/busy.pid)')
})
