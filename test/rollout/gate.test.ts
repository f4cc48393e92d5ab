import * as assert from 'uvu/assert'
import { millis } from '../../src/engine/duration.ts'
import { Problem } from '../../src/engine/problem.ts'
import { fail, gate, inconclusive, judge, pass, type Verdict, worst } from '../../src/rollout/gate.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/gate')

const VERDICTS: Record<string, Verdict> = { p: pass, f: fail('no'), i: inconclusive('who knows') }

const run = async (script: string, limits: { measure: number; mayFail: number; mayBeUnclear?: number }) => {
  const slept: number[] = []
  let asked = 0
  const asks = gate<string, null>('g', {
    every: '10s',
    ...limits,
    ask: async () => {
      const verdict = VERDICTS[script[asked++] ?? '']
      if (!verdict) throw new Error('asked too often')
      return verdict
    },
  })
  const { signal } = new AbortController()
  const verdict = await judge(asks, 'it', null, { signal, sleep: async ms => slept.push(ms) })
  return { verdict: verdict.verdict, asked, slept }
}

for (const { when, script, limits, verdict, asked } of [
  { when: 'one pass is asked for', script: 'p', limits: { measure: 1, mayFail: 0 }, verdict: 'pass', asked: 1 },
  { when: 'all of three pass', script: 'ppp', limits: { measure: 3, mayFail: 0 }, verdict: 'pass', asked: 3 },
  { when: 'the first fails', script: 'f', limits: { measure: 3, mayFail: 0 }, verdict: 'fail', asked: 1 },
  { when: 'a failure is allowed', script: 'fpp', limits: { measure: 3, mayFail: 1 }, verdict: 'pass', asked: 3 },
  {
    when: 'the last failure is one too many',
    script: 'fpf',
    limits: { measure: 3, mayFail: 1 },
    verdict: 'fail',
    asked: 3,
  },
  {
    when: 'silence does not count as a pass',
    script: 'ipip',
    limits: { measure: 2, mayFail: 0 },
    verdict: 'pass',
    asked: 4,
  },
  {
    when: 'nothing but silence',
    script: 'iiii',
    limits: { measure: 1, mayFail: 0 },
    verdict: 'inconclusive',
    asked: 4,
  },
  {
    when: 'silence has no budget',
    script: 'pi',
    limits: { measure: 2, mayFail: 0, mayBeUnclear: 0 },
    verdict: 'inconclusive',
    asked: 2,
  },
  { when: 'silence, then failure', script: 'iif', limits: { measure: 1, mayFail: 0 }, verdict: 'fail', asked: 3 },
]) {
  test(`${when}: ${verdict}`, async () => {
    const result = await run(script, limits)
    assert.is(result.verdict, verdict)
    assert.is(result.asked, asked)
    assert.equal(result.slept, Array(asked - 1).fill(10_000))
  })
}

test('a Problem while asking is silence, a bug is not', async () => {
  const { signal } = new AbortController()
  const throwing = (thrown: Error) =>
    gate<null, null>('g', { every: '1s', measure: 1, mayFail: 0, mayBeUnclear: 0, ask: () => Promise.reject(thrown) })
  const judged = await judge(throwing(new Problem('no API', { why: 'down', next: 'up' })), null, null, { signal })
  assert.equal(judged, inconclusive('no API: down'))
  const bug = await judge(throwing(new TypeError('bug')), null, null, { signal }).catch(it => it)
  assert.instance(bug, TypeError)
})

test('every measurement is told, and an interrupt ends it', async () => {
  const stop = new AbortController()
  const told: string[] = []
  const endless = gate<null, null>('g', { every: '1s', measure: 99, mayFail: 0, ask: async () => pass })
  const end = await judge(endless, null, null, {
    signal: stop.signal,
    onVerdict: ({ verdict }, { count }) => told.push(`${count} ${verdict}`),
    sleep: async () => told.length === 2 && stop.abort(),
  }).catch(it => it)
  assert.is(end.name, 'AbortError')
  assert.equal(told, ['1 pass', '2 pass'])
})

test('a gate that could pass on failures alone is refused', () => {
  assert.throws(() => gate('g', { every: '1s', measure: 1, mayFail: 1, ask: async () => pass }), /mayFail/)
  assert.throws(() => gate('g', { every: 'soon', measure: 1, mayFail: 0, ask: async () => pass }), /duration/)
})

test('the worst of several', () => {
  assert.equal(worst([pass, inconclusive('i'), fail('f')]), fail('f'))
  assert.equal(worst([pass, inconclusive('i')]), inconclusive('i'))
  assert.equal(worst([pass, pass]), pass)
  assert.is(worst([]).verdict, 'inconclusive')
})

for (const [text, ms] of [
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
] as const) {
  test(`${text} is ${ms} ms`, () => assert.is(millis(text), ms))
}
