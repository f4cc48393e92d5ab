import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { type Held, type LeaseObject, leaseOf, NotLeader, takeLease } from '../../src/rollout/kube/lease.ts'
import { led } from '../../src/rollout/kube/led.ts'
import { suite } from '../support/suite.ts'
import { startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout: one leader')
let cluster: Awaited<ReturnType<typeof startCluster>>
const held: Held[] = []
before(async () => {
  cluster = await startCluster()
})
after(async () => {
  for (const it of held) await it.release()
  await cluster?.close()
})

const leader = (name: string, state = name) => ({ who: `deploy by ${name}`, run: `run-${name}`, state })
const take = async (
  name: string,
  context: string,
  { durationMs = 2000, state = name, say = (_: string) => {} } = {},
) => {
  const it = await takeLease(cluster.kube, leader(name, state), { context, durationMs, say })
  held.push(it)
  return it
}
const live = async (context: string) => (await cluster.kube.get<LeaseObject>(leaseOf(context)))!
const refused = (work: Promise<unknown>): Promise<NotLeader> =>
  work.then(
    () => assert.unreachable('it was not refused'),
    thrown => {
      assert.instance(thrown, NotLeader)
      return thrown
    },
  ) as Promise<NotLeader>
/** As the process of somebody else would write it. */
const steal = (context: string, who: string) =>
  cluster.kube.patch(leaseOf(context), { merge: { spec: { holderIdentity: who } } })

test('the first makes the namespace and the Lease; a living holder is told of, with exit 4', async () => {
  const first = await take('anna', 'two')
  assert.is(first.tookOverFrom, null)
  const namespace = await cluster.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'egress-system' })
  assert.is(namespace?.metadata.labels?.['app.kubernetes.io/managed-by'], 'kapsule-egress')
  const { spec } = await live('two')
  const problem = await refused(take('ben', 'two'))
  assert.is(problem.exit, 4)
  assert.match(
    problem.why,
    `deploy by anna holds the Lease egress-system/kapsule-egress-two since ${spec!.acquireTime}`,
  )
  assert.match(problem.why, 'run-anna')
  await first.check()
})

test('of several who come at once one leads', async () => {
  const all = await Promise.allSettled(['c', 'd', 'e'].map(it => take(it, 'race')))
  assert.equal(all.map(it => it.status).sort(), ['fulfilled', 'rejected', 'rejected'])
})

test('a free one is taken, and nobody was robbed', async () => {
  await (await take('anna', 'free')).release()
  const { spec, metadata } = await live('free')
  assert.equal([spec?.holderIdentity, metadata.annotations], [undefined, undefined])
  assert.is((await take('ben', 'free')).tookOverFrom, null)
})

test("a dead holder's is taken over after its duration, and said so", async () => {
  const dead = await take('anna', 'dead')
  await steal('dead', 'deploy by nobody')
  await refused(dead.look())
  const lines: string[] = []
  const began = Date.now()
  const next = await take('ben', 'dead', { say: it => lines.push(it) })
  assert.ok(Date.now() - began >= 2000)
  assert.is(next.tookOverFrom?.who, 'deploy by nobody')
  assert.match(lines.join(), /deploy by nobody holds .*looking whether it is alive/)
})

test('who asks something of a dead holder does not make it look alive', async () => {
  const dead = await take('anna', 'asked')
  await steal('asked', 'deploy by nobody')
  await refused(dead.look())
  let taken = false
  const asking = (async () => {
    for (let turn = 0; turn < 60 && !taken; turn++) {
      await cluster.kube.patch(leaseOf('asked'), { merge: { metadata: { annotations: { wish: String(turn) } } } })
      await delay(300)
    }
  })()
  try {
    assert.is((await take('ben', 'asked')).tookOverFrom?.who, 'deploy by nobody')
  } finally {
    taken = true
    await asking
  }
})

test('where the lock of the same directory is ours, its holder is dead: taken over at once', async () => {
  const dead = await take('anna', 'same', { durationMs: 30_000, state: 'disk' })
  const began = Date.now()
  const next = await take('ben', 'same', { durationMs: 30_000, state: 'disk' })
  assert.ok(Date.now() - began < 15_000)
  assert.is(next.tookOverFrom?.who, 'deploy by anna')
  assert.match((await refused(dead.look())).why, /deploy by ben took the Lease/)
})

test('it is kept for longer than its duration, also when others write on it', async () => {
  const it = await take('anna', 'kept')
  const before = (await live('kept')).spec!.renewTime
  for (let turn = 0; turn < 25; turn++) {
    await cluster.kube.patch(leaseOf('kept'), { merge: { metadata: { annotations: { other: String(turn) } } } })
    await delay(100)
  }
  await it.check()
  assert.is.not((await live('kept')).spec!.renewTime, before)
  await it.note({ mine: 'yes' })
  assert.equal((await it.look()).metadata.annotations?.mine, 'yes')
})

test('who lost it writes nothing more', async () => {
  const it = await take('anna', 'lost', { durationMs: 900 })
  const kube = led(cluster.kube, it.check)
  const map = (name: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { a: '1' },
  })
  await kube.apply(map('led'))
  await steal('lost', 'deploy by a thief')
  // Its next renewal sees it.
  const end = Date.now() + 30_000
  for (let lost = false; !lost; await delay(50)) {
    assert.ok(Date.now() < end, 'it never noticed')
    lost = await it.check().then(
      () => false,
      () => true,
    )
  }
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'led' }
  for (const write of [
    () => kube.create(map('other')),
    () => kube.apply(map('other')),
    () => kube.patch(id, { merge: { data: { a: '2' } } }),
    () => kube.delete(id),
  ])
    assert.is((await refused(write())).exit, 4)
  assert.equal((await kube.get(id))?.data, { a: '1' })
  assert.is(await kube.get({ ...id, name: 'other' }), null)
})

test('of one whose cluster is about to go nobody says anything more', async () => {
  const it = await take('anna', 'going', { durationMs: 300 })
  it.forget()
  const { resourceVersion } = (await live('going')).metadata
  await delay(400)
  await it.release()
  const { metadata, spec } = await live('going')
  assert.equal([metadata.resourceVersion, spec?.holderIdentity], [resourceVersion, 'deploy by anna'])
  await refused(it.check())
})

for (const { which, hours } of [
  { which: 'back', hours: -1 },
  { which: 'forward', hours: 1 },
])
  test(`who lost it while nothing could be heard writes nothing more, also with the clock set ${which}`, async () => {
    const it = await take('anna', `clock-${which}`, { durationMs: 900 })
    await steal(`clock-${which}`, 'deploy by ben')
    const { now } = Date
    Date.now = () => now() + hours * 3_600_000
    try {
      // Nothing else of this process gets its turn.
      for (const end = performance.now() + 650; performance.now() < end; );
      await refused(it.check())
    } finally {
      Date.now = now
    }
  })
