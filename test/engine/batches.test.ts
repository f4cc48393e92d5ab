import * as assert from 'uvu/assert'
import { applyPlan } from '../../src/engine/apply.ts'
import { batchesOf, countOf } from '../../src/engine/batches.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'
import { thing, worldFor } from '../support/things.ts'

const { test } = suite('engine: batches and how many may fail')

const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
for (const { sizes, is } of [
  { sizes: [], is: 'abcdefg' },
  { sizes: [1], is: 'a b c d e f g' },
  { sizes: [3], is: 'abc def g' },
  { sizes: [1, '50%'], is: 'a bcd efg' },
  { sizes: [1, 2, '100%'], is: 'a bc defg' },
  { sizes: ['1%'], is: 'a b c d e f g' },
  { sizes: [99], is: 'abcdefg' },
  { sizes: [0], is: 'a b c d e f g' },
])
  test(`batches of ${JSON.stringify(sizes)}: ${is}`, () =>
    assert.is(
      batchesOf(seven, sizes)
        .map(it => it.join(''))
        .join(' '),
      is,
    ))

test('nothing has no batches, and a share is rounded down', () => {
  assert.equal(batchesOf([], [2]), [])
  assert.equal(batchesOf([]), [])
  assert.equal([countOf(3, 10), countOf('25%', 7), countOf('10%', 7), countOf('100%', 7)], [3, 1, 0, 7])
})

/** Applies seven things, some of which fail, and tells what ran side by side and how it ended. */
const run = async (sizes: (number | string)[], mayFail: number, failing: string) => {
  const now = new Set<string>()
  const waves: string[] = []
  const things = seven.map(it =>
    thing(`box/${it}`, {
      apply: async () => {
        now.add(it)
        await new Promise(resolve => setTimeout(resolve, 5))
        waves.push([...now].join(''))
        now.delete(it)
        if (failing.includes(it)) throw new Problem(`${it} failed`, { why: '-', next: '-' })
        return {}
      },
    }),
  )
  const ids = things.map(it => it.id)
  const plan = await makePlan(things, worldFor())
  const outcome = await applyPlan(plan, 'g', worldFor(), { only: ids, batches: batchesOf(ids, sizes), mayFail })
  const short = (all: Iterable<string>) => [...all].map(it => it.slice(-1)).join('')
  return {
    waves: [...new Set(waves.map(it => [...it].sort().join('')))].filter(
      (it, _, all) => !all.some(other => other !== it && [...it].every(char => other.includes(char))),
    ),
    done: short(outcome.changes.keys()),
    failed: short(outcome.failures.map(it => it.step)),
    skipped: short(outcome.skipped),
  }
}

test('a batch begins when the one before is over', async () => {
  assert.equal(await run([1, 3], 0, ''), { waves: ['a', 'bcd', 'efg'], done: 'abcdefg', failed: '', skipped: '' })
})

test('a failure starts nothing new', async () => {
  assert.equal(await run([1], 0, 'c'), { waves: ['a', 'b', 'c'], done: 'ab', failed: 'c', skipped: 'defg' })
})

test('what is under way in the batch of a failure is finished', async () => {
  assert.equal(await run([3], 0, 'a'), { waves: ['abc'], done: 'bc', failed: 'a', skipped: 'defg' })
})

test('as many may fail as was said, over all batches', async () => {
  assert.equal(await run([1, 3], 2, 'ab'), { waves: ['a', 'bcd', 'efg'], done: 'cdefg', failed: 'ab', skipped: '' })
  assert.equal(await run([1, 3], 1, 'ab'), { waves: ['a', 'bcd'], done: 'cd', failed: 'ab', skipped: 'efg' })
})

test('what stands on a failed thing is not reached, though others go on', async () => {
  const one = thing('box/one', { apply: () => Promise.reject(new Problem('no', { why: '-', next: '-' })) })
  const [above, other] = [thing('box/above', { after: [one] }), thing('box/other')]
  const plan = await makePlan([one, above, other], worldFor())
  const outcome = await applyPlan(plan, 'g', worldFor(), { batches: [[one.id], [above.id, other.id]], mayFail: 1 })
  assert.equal([...outcome.changes.keys()], ['box/other'])
  assert.equal(outcome.skipped, ['box/above'])
})
