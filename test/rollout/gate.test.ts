import * as assert from 'uvu/assert'
import { millis } from '../../src/engine/duration.ts'
import { Problem } from '../../src/engine/problem.ts'
import { gatesAt } from '../../src/rollout/gates/all.ts'
import { gate, judge, secondsOf } from '../../src/rollout/gates/gate.ts'
import { fail, inconclusive, pass, type Verdict } from '../../src/rollout/gates/measure.ts'
import { untilKnown } from '../../src/rollout/gates/patience.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/gate')

test('measures at its interval until it is decided', async () => {
  const slept: number[] = []
  const answers = [pass, inconclusive('i'), pass]
  const asks = gate<string, null>('g', {
    interval: '7s',
    initialDelay: '1m',
    count: 2,
    ask: async () => answers.shift() ?? fail('asked too often'),
  })
  const { signal } = new AbortController()
  assert.equal(await judge(asks, 'it', null, { signal, sleep: async ms => slept.push(ms) }), pass)
  assert.equal([slept, answers], [[60_000, 7000, 7000], []])
  assert.is(secondsOf(asks), 67)
})

test('asked again after a pause, it does not wait as it did at first', async () => {
  const slept: number[] = []
  const asks = gate<null, null>('g', { initialDelay: '1m', ask: async () => pass })
  const { signal } = new AbortController()
  const sleep = async (ms: number) => slept.push(ms)
  for (const again of [false, true]) await judge(asks, null, null, { signal, sleep, again })
  assert.equal(slept, [60_000])
})

test('a Problem while asking is an error, a bug is not', async () => {
  const { signal } = new AbortController()
  const throwing = (thrown: Error) =>
    gate<null, null>('g', { consecutiveErrorLimit: 0, ask: () => Promise.reject(thrown) })
  const judged = await judge(throwing(new Problem('no API', { why: 'down', next: 'up' })), null, null, { signal })
  assert.equal(judged, inconclusive('not measured: no API: down'))
  const bug = await judge(throwing(new TypeError('bug')), null, null, { signal }).catch(it => it)
  assert.instance(bug, TypeError)
})

test('every measurement is told, and an interrupt ends it', async () => {
  const stop = new AbortController()
  const told: string[] = []
  const endless = gate<null, null>('g', { interval: '1s', count: 99, ask: async () => pass })
  const end = await judge(endless, null, null, {
    signal: stop.signal,
    onMeasurement: ({ verdict }, { count }) => told.push(`${count} ${verdict}`),
    sleep: async () => told.length === 2 && stop.abort(),
  }).catch(it => it)
  assert.is(end.name, 'AbortError')
  assert.equal(told, ['1 pass', '2 pass'])
})

test('a gate that could pass on failures alone is refused', () => {
  assert.throws(() => gate('g', { failureLimit: 1, ask: async () => pass }), /failureLimit/)
  assert.throws(() => gate('g', { count: 0, ask: async () => pass }), /count/)
  assert.throws(() => gate('g', { interval: 'soon', ask: async () => pass }), /duration/)
})

test('a tenant file changes the limits of one gate alone', () => {
  const name = 'pods ready and not restarting'
  const [usual, changed] = [
    gatesAt('moved'),
    gatesAt('moved', { rollout: { builtIn: { [name]: { count: 7, dryRun: true } } } }),
  ]
  assert.equal([changed[0]?.name, changed[0]?.count, changed[0]?.dryRun], [name, 7, true])
  assert.is(changed[0]?.interval, usual[0]?.interval)
  assert.equal(changed.slice(1), usual.slice(1))
})

/** Asks what is in the script; time passes by sleeping alone. */
const patiently = async (script: string, { within = '12s', stopAt = Infinity } = {}) => {
  const verdicts: Record<string, Verdict> = { p: pass, f: fail('no'), i: inconclusive('who knows') }
  const stop = new AbortController()
  const pauses: number[] = []
  let [now, asked] = [0, 0]
  const verdict = await untilKnown(
    async () => {
      const it = verdicts[script[asked++] ?? '']
      if (!it) throw new Error('asked too often')
      return it
    },
    { within },
    {
      stop: stop.signal,
      onPause: (_, left) => pauses.push(left),
      now: () => now,
      async sleep(ms) {
        now += ms
        if (now < stopAt) return
        stop.abort()
        throw stop.signal.reason
      },
    },
  )
  return { verdict: verdict.verdict, asked, pauses }
}

test('a clock that is set forward ends no patience', async () => {
  const answers: Verdict[] = [inconclusive('first'), inconclusive('second'), pass]
  const { now } = Date
  let setBy = 0
  Date.now = () => now() + setBy
  try {
    const verdict = await untilKnown(
      async () => answers.shift()!,
      { within: '1h' },
      {
        stop: new AbortController().signal,
        onPause: (_, left) => assert.ok(Number.isInteger(left)),
        async sleep() {
          setBy = 2 * 3_600_000
        },
      },
    )
    assert.equal(verdict, pass)
  } finally {
    Date.now = now
  }
})

for (const { when, script, options, verdict, asked, pauses } of [
  { when: 'a pass waits for nothing', script: 'p', verdict: 'pass', asked: 1, pauses: [] },
  { when: 'a failure waits for nothing', script: 'f', verdict: 'fail', asked: 1, pauses: [] },
  { when: 'silence is asked again', script: 'iip', verdict: 'pass', asked: 3, pauses: [12_000, 7000] },
  { when: 'until it fails', script: 'if', verdict: 'fail', asked: 2, pauses: [12_000] },
  { when: 'until its time is over', script: 'iiii', verdict: 'inconclusive', asked: 4, pauses: [12_000, 7000, 2000] },
  { when: 'no time', script: 'i', options: { within: '0s' }, verdict: 'inconclusive', asked: 1, pauses: [] },
  { when: 'an interrupt', script: 'i', options: { stopAt: 1 }, verdict: 'inconclusive', asked: 1, pauses: [12_000] },
]) {
  test(`patience, ${when}: ${verdict}`, async () => {
    assert.equal(await patiently(script, options), { verdict, asked, pauses })
  })
}

for (const [text, ms] of [
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
] as const) {
  test(`${text} is ${ms} ms`, () => assert.is(millis(text), ms))
}
