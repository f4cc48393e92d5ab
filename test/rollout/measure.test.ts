import * as assert from 'uvu/assert'
import {
  assess,
  fail,
  inconclusive,
  type Measurement,
  pass,
  unprovable,
  usualLimits,
  worst,
} from '../../src/rollout/gates/measure.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/measure')

const MEASUREMENTS: Record<string, Measurement> = {
  p: pass,
  f: fail('no'),
  i: inconclusive('who knows'),
  e: { verdict: 'error', reason: 'no API' },
}

const taken = (script: string): Measurement[] => [...script].map(it => MEASUREMENTS[it] as Measurement)

/** The verdict, and after how many measurements of the script it fell; null: it is not decided at its end. */
const decided = (script: string, limits: object) => {
  for (let at = 1; at <= script.length; at++) {
    const verdict = assess({ ...usualLimits, ...limits }, taken(script.slice(0, at)))
    if (verdict) return { verdict: verdict.verdict, at }
  }
  return null
}

const streak = { count: 5, failureLimit: -1, consecutiveSuccessLimit: 3 }

for (const { when, script, limits, verdict, at = script.length } of [
  { when: 'one pass is asked for', script: 'p', limits: {}, verdict: 'pass' },
  { when: 'all of three pass', script: 'ppp', limits: { count: 3 }, verdict: 'pass' },
  { when: 'two of three so far', script: 'pp', limits: { count: 3 }, verdict: null },
  { when: 'the first fails', script: 'fpp', limits: { count: 3 }, verdict: 'fail', at: 1 },
  { when: 'a failure is allowed', script: 'fpp', limits: { count: 3, failureLimit: 1 }, verdict: 'pass' },
  { when: 'the last failure is one too many', script: 'fpf', limits: { count: 3, failureLimit: 1 }, verdict: 'fail' },
  { when: 'silence does not count', script: 'ipip', limits: { count: 2 }, verdict: 'pass' },
  { when: 'nothing but silence', script: 'iiii', limits: {}, verdict: 'inconclusive' },
  { when: 'silence within its limit is no pass', script: 'iii', limits: { count: 3 }, verdict: null },
  { when: 'no silence is allowed', script: 'pi', limits: { count: 2, inconclusiveLimit: 0 }, verdict: 'inconclusive' },
  { when: 'silence, then failure', script: 'iif', limits: {}, verdict: 'fail' },
  { when: 'errors do not count', script: 'eeeep', limits: {}, verdict: 'pass' },
  { when: 'five errors in a row', script: 'eeeee', limits: {}, verdict: 'inconclusive' },
  { when: 'no error is allowed', script: 'e', limits: { consecutiveErrorLimit: 0 }, verdict: 'inconclusive' },
  { when: 'errors with silence between', script: 'eeeeieeeep', limits: {}, verdict: 'pass' },
  { when: 'errors are counted anew after an answer', script: 'eeeepeeeep', limits: { count: 2 }, verdict: 'pass' },
  { when: 'a failure among errors', script: 'eef', limits: {}, verdict: 'fail' },
  { when: 'three in a row', script: 'fpfppp', limits: { ...streak, count: 9 }, verdict: 'pass' },
  { when: 'three in a row, before count', script: 'ppp', limits: streak, verdict: 'pass' },
  { when: 'never three in a row', script: 'ppfpp', limits: streak, verdict: 'fail' },
  { when: 'silence breaks a row', script: 'ppipp', limits: streak, verdict: null },
  { when: 'an error breaks a row', script: 'ppeppp', limits: streak, verdict: 'pass', at: 6 },
  { when: 'a row within a failureLimit', script: 'fppp', limits: { ...streak, failureLimit: 1 }, verdict: 'pass' },
  { when: 'a failureLimit goes first', script: 'ff', limits: { ...streak, failureLimit: 1 }, verdict: 'fail' },
  { when: 'silence up to its limit, then an answer', script: 'iiip', limits: {}, verdict: 'pass' },
  {
    when: 'silence is summed up, not counted in a row',
    script: 'ipipipi',
    limits: { count: 9 },
    verdict: 'inconclusive',
  },
  { when: 'failures are summed up, too', script: 'fpfpf', limits: { count: 9, failureLimit: 2 }, verdict: 'fail' },
  {
    when: 'a failure ends a row of errors',
    script: 'eeeefeeeep',
    limits: { count: 2, failureLimit: 1 },
    verdict: 'pass',
  },
  { when: 'silence has no limit', script: 'iiiiiiiip', limits: { inconclusiveLimit: 99 }, verdict: 'pass' },
  {
    when: 'silence at the end is none',
    script: 'pppi',
    limits: { count: 4, inconclusiveLimit: 0 },
    verdict: 'inconclusive',
  },
  { when: 'errors at the end leave it open', script: 'pppeeee', limits: { count: 4 }, verdict: null },
  {
    when: 'a row that is reached with the last of count',
    script: 'fppp',
    limits: { ...streak, count: 4 },
    verdict: 'pass',
  },
  {
    when: 'a row of one',
    script: 'ffp',
    limits: { count: 3, failureLimit: -1, consecutiveSuccessLimit: 1 },
    verdict: 'pass',
  },
  {
    when: 'not even one',
    script: 'fff',
    limits: { count: 3, failureLimit: -1, consecutiveSuccessLimit: 1 },
    verdict: 'fail',
  },
  {
    when: 'a row, though count is met without it',
    script: 'pppp',
    limits: { ...streak, consecutiveSuccessLimit: 5 },
    verdict: null,
  },
  { when: 'a row that errors and silence cut', script: 'peppippp', limits: { ...streak, count: 9 }, verdict: 'pass' },
  {
    when: 'silence past its limit in a row of passes',
    script: 'ppippippi',
    limits: { ...streak, count: 20, inconclusiveLimit: 2 },
    verdict: 'inconclusive',
  },
  {
    when: 'neither row nor failures',
    script: 'ppfpp',
    limits: { ...streak, failureLimit: 2 },
    verdict: 'inconclusive',
  },
]) {
  test(`${when}: ${script} is ${verdict}`, () => {
    assert.equal(decided(script, limits), verdict === null ? null : { verdict, at })
  })
}

test('whatever was measured, a pass has passes in it', () => {
  const letters = ['p', 'f', 'i', 'e']
  const scripts = (length: number): string[] =>
    length === 0 ? [''] : scripts(length - 1).flatMap(it => letters.map(letter => it + letter))
  const limits = [
    { count: 2, failureLimit: 1 },
    { count: 2, inconclusiveLimit: 9, consecutiveErrorLimit: 9 },
    { count: 4, failureLimit: -1, consecutiveSuccessLimit: 2 },
  ]
  for (const it of limits) {
    assert.is(unprovable({ ...usualLimits, ...it }), null)
    for (const script of scripts(5)) {
      if (decided(script, it)?.verdict !== 'pass') continue
      assert.match(script.slice(0, decided(script, it)?.at), /p/, `${JSON.stringify(it)} ${script}`)
    }
  }
})

test('a verdict tells its reason', () => {
  assert.equal(assess(usualLimits, taken('f')), fail('no'))
  assert.equal(assess(usualLimits, taken('eeeee')), inconclusive('not measured, 5 times in a row: no API'))
  assert.equal(assess(usualLimits, []), null)
})

for (const { limits, why } of [
  { limits: {}, why: null },
  { limits: { count: 3, failureLimit: 2 }, why: null },
  { limits: { count: 3, failureLimit: 3 }, why: /less than count/ },
  { limits: { failureLimit: 1 }, why: /less than count/ },
  { limits: { failureLimit: -1 }, why: /failures alone/ },
  { limits: { count: 3, failureLimit: -1, consecutiveSuccessLimit: 3 }, why: null },
  { limits: { count: 2, consecutiveSuccessLimit: 3 }, why: /never reached/ },
]) {
  test(`limits ${JSON.stringify(limits)}: ${why ?? 'can be evidence'}`, () => {
    const said = unprovable({ ...usualLimits, ...limits })
    if (why) assert.match(String(said), why)
    else assert.is(said, null)
  })
}

test('the worst of several', () => {
  assert.equal(worst([pass, inconclusive('i'), fail('f')]), fail('f'))
  assert.equal(worst([pass, inconclusive('i')]), inconclusive('i'))
  assert.equal(worst([pass, pass]), pass)
  assert.is(worst([]).verdict, 'inconclusive')
})
