import * as assert from 'uvu/assert'
import type { Problem } from '../../src/engine/problem.ts'
import { leaseOf } from '../../src/rollout/kube/lease.ts'
import { asAnnotation } from '../../src/rollout/requests.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { createRolling, type Words } from './rolling.ts'

const { test, before, after } = suite("cli: an operator's hand on a rollout")
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling()
})
after(() => rolling?.close())

/** Words about when it waits. */
const waits = (then: object): Words => Object.fromEntries([['then', then]])

type Run = Awaited<ReturnType<typeof rolling.start>>
/** Waits until the run has said it; the line. */
const heard = async (run: Run, what: RegExp): Promise<string> => {
  const line = () => run.lines.find(it => what.test(it))
  await until(() => run.over || line() !== undefined, 60)
  const heard = line()
  const end = run.over ? `: ${(await run.ended)?.stack}` : ''
  assert.ok(heard, `${what} in\n${run.lines.join('\n')}${end}`)
  return heard
}
const problemOf = async (run: Run): Promise<Problem> => {
  const problem = await run.ended
  assert.ok(problem, run.lines.join('\n'))
  return problem
}
const essence = async () => {
  const all = await rolling.cluster.kube.list<{ metadata: { name: string }; spec: object }>({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a-demo' },
  })
  return all.items.map(({ metadata: { name }, spec }) => ({ name, spec }))
}

test('where nothing is under way, nothing is to be paused or promoted, and an abort looks into the journals', async () => {
  for (const what of ['pause', 'promote'] as const) {
    const problem = await rolling.ask(what).catch(it => it)
    assert.is(problem.message, `nothing to ${what}`)
  }
  assert.is(await rolling.ask('abort'), 'nobody')
  assert.is(await rolling.ask('resume'), 'nobody')
})

const aborted: { when: string; at: RegExp; words?: Words; stubborn?: true }[] = [
  { when: 'it pauses', at: /paused before expand 1\/2: until 2/, words: waits({ pause: '1h' }) },
  { when: 'new pods do not become ready', at: /w1: waiting/, stubborn: true },
  {
    when: 'a gate is asked',
    at: /w0: no program goes past the proxy: /,
    words: { gates: [{ name: 'calm', log: { absent: 'panic' }, interval: '1h', count: 2 }] },
  },
  {
    when: 'nobody knows',
    at: /w0: talks: inconclusive: .* asked again/,
    words: {
      gates: [{ name: 'talks', log: { contains: 'nothing it says' }, interval: '0s', inconclusiveLimit: 0 }],
      // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
      inconclusive: { within: '1h', then: 'ask' },
    },
  },
  { when: 'it soaks', at: /soaking for 3600 s/, words: waits({ soak: '1h' }) },
]
for (const { when, at, words, stubborn = false } of aborted)
  test(`an abort while ${when} takes back what moved, and the journal says who asked`, async () => {
    rolling.mood.stubborn = stubborn
    const start = await essence()
    const run = await rolling.start(words)
    await heard(run, at)
    assert.match(await rolling.ask('abort', words), /is cut short, and what moved of a is taken back/)
    const problem = await problemOf(run)
    assert.equal([problem.exit, problem.message], [5, 'the rollout was aborted'])
    assert.equal(await essence(), start)
    rolling.mood.stubborn = false
    const asked = rolling.history().filter(it => it.run === run.run && it.event === 'note' && it.topic === 'asked')
    assert.is(asked.length, 1)
  })

test('what was moved and not proved is proved in whichever phase it is by now', async () => {
  const sure = (code: number) => ({ name: 'sure', command: ['sh', '-c', `[ $EGRESS_WORKLOAD != w2 ] || exit ${code}`] })
  const asked = (code: number): Words => ({
    gates: [{ ...sure(code), interval: '0s', inconclusiveLimit: 0 }],
    // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
    inconclusive: { within: '1s', then: 'ask' },
  })
  const one = await rolling.start(asked(75))
  assert.match((await problemOf(one)).message, /phase expand 2\/2 is not decided: a\/w2/)
  // By its name this phase passed, for another workload.
  const order = ['w0', 'w2', 'w1']
  const two = await rolling.start({ ...asked(75), order })
  assert.match((await problemOf(two)).message, /phase expand 1\/2 is not decided: a\/w2/)
  const three = await rolling.start({ ...asked(1), order })
  assert.is((await problemOf(three)).exit, 5)
  assert.equal(await rolling.moved(), [])
})

test('what was asked of a run that died is not heard by the next one', async () => {
  const late = { id: 'late', what: 'abort' as const, by: 'anna@a', at: '2026-01-01T00:00:00Z' }
  for (const holder of [null, 'deploy by somebody who died']) {
    const spec = { holderIdentity: holder }
    await rolling.cluster.kube.patch(leaseOf('rolling'), {
      merge: { metadata: { annotations: asAnnotation(late) }, spec },
    })
    const run = await rolling.start(waits({ pause: 'promote' }))
    await heard(run, /paused before expand 1\/2/)
    assert.equal(
      run.lines.filter(it => /asks: abort/.test(it)),
      [],
    )
    assert.match(await rolling.ask('abort'), /cut short/)
    assert.is((await problemOf(run)).exit, 5)
  }
})

test('an interrupt ends a pause, which goes on where it was in the next run', async () => {
  const words = waits({ pause: '1h' })
  const one = await rolling.start(words)
  const told = await heard(one, /paused before expand 1\/2/)
  one.interrupt()
  assert.is((await problemOf(one)).exit, 130)
  assert.equal(await rolling.moved(), ['w0'])
  const two = await rolling.start(words)
  assert.is(await heard(two, /paused before expand 1\/2/), told)
  assert.match(await rolling.ask('abort', words), /cut short/)
  assert.is((await problemOf(two)).exit, 5)
  assert.equal(await rolling.moved(), [])
})

test('who lost the lead ends, and takes nothing back', async () => {
  const run = await rolling.start(waits({ pause: 'promote' }))
  await heard(run, /paused before expand 1\/2/)
  await rolling.cluster.kube.patch(leaseOf('rolling'), { merge: { spec: { holderIdentity: 'deploy by a thief' } } })
  const problem = await problemOf(run)
  assert.is(problem.exit, 4)
  assert.match(problem.why, /deploy by a thief took the Lease/)
  assert.equal(await rolling.moved(), ['w0'])
})

test('it pauses by the inventory until it is promoted, and by hand until it is resumed', async () => {
  const words = waits({ pause: 'promote' })
  const run = await rolling.start(words)
  await heard(run, /took over the Lease of deploy by a thief/)
  await heard(run, /paused before expand 1\/2: until --promote/)
  const watching = rolling.watch(words)
  assert.is(await rolling.ask('pause', words), 'it waits, until --resume')
  await heard(run, /paused before expand 1\/2: .* asked for it/)
  assert.match(await rolling.ask('resume', words), /it goes on, unless the inventory/)
  assert.equal(await rolling.moved(), ['w0'])
  assert.is(await rolling.ask('promote', words), 'it goes on')
  await heard(run, /paused before expand 2\/2/)
  assert.equal(await rolling.moved(), ['w0', 'w1'])
  assert.is(await rolling.ask('promote', words), 'it goes on')
  assert.is(await run.ended, undefined)
  assert.equal(await rolling.moved(), ['w0', 'w1', 'w2'])
  const views = await watching
  const ofW0 = views.map(it => it.workloads[0]!.state)
  assert.equal([...new Set(ofW0)], ['proved'])
  assert.match(views[0]!.run?.paused?.by ?? '', /the inventory|@/)
  assert.is(views.at(-1)!.run, null)
  assert.equal(
    views.at(-1)!.workloads.map(it => it.state),
    ['proved', 'proved', 'proved'],
  )
  const { metadata, spec } = (await rolling.cluster.kube.get(leaseOf('rolling')))!
  assert.equal([metadata.annotations, (spec as { holderIdentity?: string }).holderIdentity], [undefined, undefined])
})
