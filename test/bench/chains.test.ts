import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { countBy, longestChain, slowestChain } from './chains.ts'

const { test } = suite('bench/chains')

const call = (path: string, startMs: number, endMs: number) => ({ method: 'GET', path, startMs, endMs })
const paths = (calls: { path: string }[]) => calls.map(it => it.path).join(' ')

for (const { when, calls, longest, slowest, ms } of [
  { when: 'side by side', calls: [call('a', 0, 10), call('b', 0, 12)], longest: 'a', slowest: 'b', ms: 12 },
  { when: 'one after the other', calls: [call('a', 0, 10), call('b', 10, 20)], longest: 'a b', slowest: 'a b', ms: 20 },
  { when: 'overlapping by a little', calls: [call('a', 0, 10), call('b', 9, 20)], longest: 'a', slowest: 'b', ms: 11 },
  {
    when: 'three short ones beside one long',
    calls: [call('long', 0, 90), call('c', 30, 40), call('a', 0, 10), call('b', 15, 20)],
    longest: 'a b c',
    slowest: 'long',
    ms: 90,
  },
  { when: 'never answered', calls: [call('a', 0, Number.POSITIVE_INFINITY), call('b', 5, 6)], longest: 'a', ms: null },
  { when: 'none', calls: [], longest: '', slowest: '', ms: 0 },
])
  test(when, () => {
    assert.is(paths(longestChain(calls).calls), longest)
    if (slowest === undefined) return
    assert.is(paths(slowestChain(calls).calls), slowest)
    assert.is(slowestChain(calls).ms, ms)
  })

test('counts by route, or by route and parent', () => {
  const id = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}`
  const calls = [call(`/clusters/${id('1')}/pools`, 0, 1), call(`/clusters/${id('2')}/pools`, 0, 1)]
  assert.equal([...countBy(calls)], [['GET /clusters/*/pools', 2]])
  assert.is(countBy(calls, { parents: true }).size, 2)
})
