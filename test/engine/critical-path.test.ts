import * as assert from 'uvu/assert'
import { criticalPath } from '../../src/engine/critical-path.ts'
import { word } from '../../src/engine/desired.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { suite } from '../support/suite.ts'
import { box, Cloud, Lines, shelf, worldOf } from './support.ts'

const { test } = suite('engine: critical path')

const slow = { ...box, takes: { create: 10, update: 3, delete: 7 } }
const home = { ...shelf, takes: { create: 100, replace: 1000, delete: 50 } }

const plan = async (value: string, cloud = new Cloud()) => {
  const root = word(home)('root', { name: 'root', parents: [], value })
  const a = word(slow)('a', { name: 'a', parents: [root.out.id], value: 'new' })
  const b = word(slow)('b', { name: 'b', parents: [a.out.id], value: 'new' })
  const quick = word({ ...box, name: 'quick' })('c', { name: 'c', parents: [root.out.id], value: 'new' })
  const { seen } = await makePlan([root, a, b, quick], worldOf(cloud, new Lines(cloud)))
  return seen
}

const path = (...steps: [string, number][]) => steps.map(([id, seconds]) => ({ id, seconds }))

test('the longest chain counts, not the sum; what takes no time is not named', async () => {
  const seen = await plan('old')
  assert.equal(criticalPath(seen, new Set(seen.keys())), {
    seconds: 120,
    path: path(['shelf/root', 100], ['box/a', 10], ['box/b', 10]),
  })
})

test('only what is pending counts, and what is told besides', async () => {
  const seen = await plan('old')
  assert.equal(criticalPath(seen, new Set(['quick/c', 'box/b']), new Map([['quick/c', 30]])), {
    seconds: 30,
    path: path(['quick/c', 30]),
  })
  assert.equal(criticalPath(seen, new Set()), { seconds: 0, path: [] })
})

test('a replacement goes down children first and up again', async () => {
  const cloud = new Cloud()
  const root = await cloud.create('root', [], 'old')
  const a = await cloud.create('a', [root.id], 'new')
  await cloud.create('b', [a.id], 'new')
  const seen = await plan('new', cloud)
  assert.equal(criticalPath(seen, new Set(seen.keys())), {
    seconds: 7 + 7 + 50 + 100 + 10 + 10,
    path: [
      ...path(['box/b', 7], ['box/a', 7], ['shelf/root', 50]).map(it => ({ ...it, down: true })),
      ...path(['shelf/root', 100], ['box/a', 10], ['box/b', 10]),
    ],
  })
})
