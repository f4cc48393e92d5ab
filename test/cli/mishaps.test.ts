import * as assert from 'uvu/assert'
import { takeBack } from '../../src/cli/rollout/open.ts'
import { stuck } from '../../src/cli/rollout/phase.ts'
import { leftProbes } from '../../src/cli/rollout/undo.ts'
import type { Entry } from '../../src/engine/journal.ts'
import { leaseOf } from '../../src/rollout/kube/lease.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { PROBE_LABEL } from '../../src/rollout/probe-pod.ts'
import { openDoor } from '../support/fleet/fleet.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { createRolling, type Words } from './rolling.ts'

const { test, before, after } = suite('cli: what happens around a rollout')
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling()
})
after(() => rolling?.close())

// biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
const words: Words = { then: { pause: 'promote' } }
const paused = async () => {
  const run = await rolling.start(words)
  await until(() => run.over || run.lines.some(it => /paused before expand 1\/2/.test(it)), 60)
  assert.not.ok(run.over, run.lines.join('\n'))
  assert.equal(await rolling.moved(), ['w0'])
  return run
}
/** As rollback.ts or --abort do it. */
const back = async () => {
  const run = await rolling.start(words, async ({ session }) => {
    const undone = await takeBack(session)
    if (undone.failures.length + undone.left.length > 0) throw stuck(undone)
  })
  return run.ended
}

test('a disk that is full ends it before anything else moves, and with room it goes on', async () => {
  const run = await paused()
  rolling.mood.fullDisk = true
  assert.is(await rolling.ask('promote', words), 'it goes on')
  const problem = await run.ended
  assert.match(problem?.message ?? '', /the journal could not be written/)
  assert.equal(await rolling.moved(), ['w0'])
  assert.is((await back())?.exit, 6, 'nothing is taken back that could not be written down')
  assert.equal(await rolling.moved(), ['w0'])
  rolling.mood.fullDisk = false
  const again = await paused()
  rolling.mood.fullDisk = true
  assert.match(await rolling.ask('abort', words), /what moved of a is taken back/)
  const stopped = await again.ended
  assert.is(stopped?.exit, 6, stopped?.stack)
  assert.match(stopped!.why, /workload-egress\/a-demo\/w0: the journal could not be written: no space left/)
  rolling.mood.fullDisk = false
  assert.is(await back(), undefined)
  assert.equal(await rolling.moved(), [])
})

test('a Lease that somebody deletes ends it as one that was stolen', async () => {
  const run = await paused()
  await rolling.cluster.kube.delete(leaseOf('rolling'))
  const problem = await run.ended
  assert.is(problem?.exit, 4, problem?.stack)
  assert.match(problem!.why, /is gone, or somebody took it/)
  assert.equal(await rolling.moved(), ['w0'])
  assert.is(await back(), undefined)
  assert.equal(await rolling.moved(), [])
})

test('credentials that end in the middle are named, and with new ones it is taken back', async () => {
  rolling.mood.stubborn = true
  const run = await rolling.start()
  await until(() => run.over || run.lines.some(it => it.includes('w1: waiting')), 60)
  await openDoor(rolling.cluster.kubeconfig, 'PUT', 'conditions', { faults: [{ do: { status: 401 } }] })
  const problem = await run.ended
  assert.is(problem?.exit, 6, problem?.stack)
  assert.match(problem!.why, /does not know these credentials/)
  await openDoor(rolling.cluster.kubeconfig, 'DELETE', 'conditions')
  rolling.mood.stubborn = false
  assert.equal(await rolling.moved(), ['w0', 'w1'])
  assert.is(await back(), undefined)
  assert.equal(await rolling.moved(), [])
})

test('an API server that restarts in the middle is waited for', async () => {
  rolling.mood.stubborn = true
  const run = await paused()
  assert.is(await rolling.ask('promote', words), 'it goes on')
  const said = (what: string) => until(() => run.over || run.lines.some(it => it.includes(what)), 60)
  await said('w1: waiting')
  const away = { forMs: 8000, do: { cut: 'before' } }
  await openDoor(rolling.cluster.kubeconfig, 'PUT', 'conditions', { faults: [away] })
  rolling.mood.stubborn = false
  await said('paused before expand 2/2')
  await openDoor(rolling.cluster.kubeconfig, 'DELETE', 'conditions')
  assert.not.ok(run.over, `${run.lines.join('\n')}`)
  assert.equal(await rolling.moved(), ['w0', 'w1'])
  assert.match(await rolling.ask('abort', words), /cut short/)
  assert.is((await run.ended)?.exit, 5)
  assert.equal(await rolling.moved(), [])
})

test('what a run that was killed early left in the cluster goes, though it moved nothing', async () => {
  const { kube } = rolling.cluster
  const probe = (run: string) => ({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: `probe-${run}`, namespace: 'a-demo', labels: { [PROBE_LABEL]: run } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  })
  const noted: Entry = { event: 'note', topic: 'probe-pod', data: { namespace: 'a-demo' } }
  rolling.record('ended', [
    { ...noted, data: { namespace: 'b-demo' } },
    { event: 'run-ended', status: 'ok' },
  ])
  rolling.record('killed', [noted])
  await kube.create(probe('killed') as unknown as KubeObject)
  await rolling
    .start(words, async ({ session }) => {
      assert.equal(leftProbes(session), ['a-demo'])
      await takeBack(session)
    })
    .then(it => it.ended)
  const pods = await kube.list<KubeObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'a-demo',
    labelSelector: PROBE_LABEL,
  })
  assert.equal(pods.items, [])
})

test('a namespace that goes in the middle leaves nothing stuck', async () => {
  const run = await paused()
  const { kube } = rolling.cluster
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'a-demo' }
  await kube.delete(namespace)
  assert.ok(await until(async () => (await kube.get(namespace)) === null, 60))
  assert.is(await rolling.ask('promote', words), 'it goes on')
  const problem = await run.ended
  assert.is(problem?.exit, 5, `${problem?.stack}\n${run.lines.join('\n')}`)
  assert.match(problem!.why, /w1/)
})
