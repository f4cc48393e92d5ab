import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { createRolling, type Words } from './rolling.ts'

const { test, before, after } = suite('cli: an abort of some of the tenants')
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling(['a', 'b'])
})
after(() => rolling?.close())

type Run = Awaited<ReturnType<typeof rolling.start>>
const heard = async (run: Run, what: RegExp): Promise<void> => {
  await until(() => run.over || run.lines.some(it => what.test(it)), 60)
  assert.ok(
    run.lines.some(it => what.test(it)),
    `${what} in\n${run.lines.join('\n')}`,
  )
}
const moved = async () => [...(await rolling.moved('a-demo')), '|', ...(await rolling.moved('b-demo'))]
const passed = () =>
  rolling.history().flatMap(it => (it.event === 'note' && it.topic === 'rollout-passed' ? [it.data] : []))

// biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
const pausing = (pause: string): Words => ({ then: { pause } })

test('one that was aborted is taken back, the others still wait and go on to their end', async () => {
  const words = pausing('promote')
  const run = await rolling.start(words)
  await heard(run, /paused before expand 1\/2/)
  assert.equal(await moved(), ['w0', '|', 'w0'])
  assert.match(await rolling.ask('abort', words, 'b'), /what moved of b is taken back; then it goes on with a/)
  await heard(run, /1 steps of b were taken back; going on with a/)
  assert.equal(await moved(), ['w0', '|'])
  assert.match(await rolling.ask('abort', words, 'b'), /the rollout of b was taken back/)
  assert.is(await rolling.ask('promote', words), 'it goes on')
  await heard(run, /paused before expand 2\/2/)
  assert.equal(await moved(), ['w0', 'w1', '|'])
  assert.is(await rolling.ask('promote', words), 'it goes on')
  const problem = await run.ended
  assert.equal([problem?.exit, problem?.message], [5, 'the rollout of b was aborted'])
  assert.match(problem!.next, /^a passed; 60-verify.mjs --limit a proves it/)
  assert.equal(await moved(), ['w0', 'w1', 'w2', '|'])
  assert.equal(passed(), [{ tenants: ['a'] }])
})

test('in the middle of a batch: what was half-moved of the others is finished and proved', async () => {
  rolling.mood.stubborn = true
  const run = await rolling.start()
  await heard(run, /b-demo\/w1: waiting/)
  assert.match(await rolling.ask('abort', {}, 'a'), /what moved of a is taken back; then it goes on with b/)
  await heard(run, /steps of a were taken back; going on with b/)
  rolling.mood.stubborn = false
  const problem = await run.ended
  assert.equal([problem?.exit, problem?.message], [5, 'the rollout of a was aborted'], run.lines.join('\n'))
  assert.equal(await rolling.moved('b-demo'), ['w0', 'w1', 'w2'])
  const proved = rolling.history().flatMap(it => {
    if (it.run !== run.run || it.event !== 'note' || it.topic !== 'phase-passed') return []
    return (it.data as { workloads: string[] }).workloads
  })
  for (const it of ['w0', 'w1', 'w2']) assert.ok(proved.includes(`workload-egress/b-demo/${it}`), it)
  assert.equal(passed().at(-1), { tenants: ['b'] })
})
