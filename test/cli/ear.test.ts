import * as assert from 'uvu/assert'
import { beforeRollout, verify } from '../../src/cli/carry-out.ts'
import { heard } from '../../src/cli/rollout/ear.ts'
import { type LeaseObject, leaseOf } from '../../src/rollout/kube/lease.ts'
import { answerOf, asAnnotation } from '../../src/rollout/requests.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { createRolling } from './rolling.ts'

const { test, before, after } = suite('cli: wishes where nothing is rolled out')
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling()
})
after(() => rolling?.close())

type Run = Awaited<ReturnType<typeof rolling.start>>
const leads = (run: Run) =>
  until(async () => {
    const lease = await rolling.cluster.kube.get<{ spec?: { holderIdentity?: string } }>(leaseOf('rolling'))
    return run.over || lease?.spec?.holderIdentity !== undefined
  }, 60)

test('what cannot be paused, promoted or aborted says so, and ends as it would have', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const run = await rolling.start({}, async ({ session }) =>
    heard(
      session,
      await session.clients.lead!(rolling.cluster.kubeconfig),
      ({ what }) => `no ${what} here`,
      () => promise,
    ),
  )
  await leads(run)
  for (const it of ['pause', 'promote', 'abort'] as const) assert.is(await rolling.ask(it), `no ${it} here`)
  resolve()
  assert.is(await run.ended, undefined)
  const noted = rolling.history().filter(it => it.run === run.run && it.event === 'note' && it.topic === 'asked')
  assert.is(noted.length, 3)
})

test('an answer waits for who asked while its run works on, and goes with the next run', async () => {
  const { kube, kubeconfig } = rolling.cluster
  const answer = async () => answerOf((await kube.get<LeaseObject>(leaseOf('rolling')))!, 'slow')
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const run = await rolling.start({}, async ({ session }) => {
    const held = await session.clients.lead!(kubeconfig)
    const hears = (said: string, work: Promise<void>) =>
      heard(
        session,
        held,
        () => said,
        () => work,
      )
    await hears('one', first.promise)
    await hears('two', second.promise)
  })
  await leads(run)
  const slow = asAnnotation({ id: 'slow', what: 'pause', by: 'anna@a', at: '2026-01-01T00:00:00Z' })
  await kube.patch(leaseOf('rolling'), { merge: { metadata: { annotations: slow } } })
  assert.ok(await until(async () => (await answer()) === 'one', 60))
  first.resolve()
  assert.ok(await until(async () => run.over || (await rolling.ask('pause')) === 'two', 60))
  assert.is(await answer(), 'one')
  second.resolve()
  assert.is(await run.ended, undefined)
  const next = await rolling.start({}, async ({ session }) => session.clients.lead!(kubeconfig))
  assert.is(await next.ended, undefined)
  assert.is(await answer(), undefined)
})

test('a stage before the rollout ends as by Ctrl-C', async () => {
  const run = await rolling.start({}, ({ session }) =>
    beforeRollout(session, async () => {
      assert.ok(await until(() => session.world.stop.aborted, 60))
      assert.not.ok(session.world.abort.aborted)
    }),
  )
  await leads(run)
  assert.is(await rolling.ask('promote'), 'nothing: the rollout has not begun')
  assert.match(await rolling.ask('abort'), /nothing new begins; what is made stays/)
  assert.is(await run.ended, undefined)
})

test('a proof at the end ends at once, and what passed stays', async () => {
  const moving = await rolling.start()
  assert.is(await moving.ended, undefined, moving.lines.join('\n'))
  const words = { gates: [{ name: 'calm', log: { absent: 'panic' }, interval: '1h', count: 2 }] }
  const run = await rolling.start(words, verify)
  await until(() => run.over || run.lines.some(it => it.includes('no program goes past')), 60)
  assert.not.ok(run.over, run.lines.join('\n'))
  assert.match(await rolling.ask('pause', words), /the rollout has passed/)
  assert.match(await rolling.ask('abort', words), /it ends now; the rollout has passed and stays/)
  const problem = await run.ended
  assert.equal(
    [problem?.exit, problem?.message],
    [130, 'the run was ended while it proved what had moved'],
    problem?.stack,
  )
  assert.equal(await rolling.moved(), ['w0', 'w1', 'w2'])
})
