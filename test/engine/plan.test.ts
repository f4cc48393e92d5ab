import * as assert from 'uvu/assert'
import { applyPlan } from '../../src/engine/apply.ts'
import { word } from '../../src/engine/desired.ts'
import { graphOf } from '../../src/engine/graph.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { Problem } from '../../src/engine/problem.ts'
import { resolve } from '../../src/engine/refs.ts'
import { countChanges, countPlanned } from '../../src/engine/step.ts'
import { suite } from '../support/suite.ts'
import { box, Cloud, cloudBefore, fourteen, Lines, worldOf } from './support.ts'

const { test } = suite('engine: plan')
const boxed = word(box)

test('a plan changes nothing and says what is unknown', async () => {
  const cloud = await cloudBefore()
  const journal = new Lines(cloud)
  const plan = await makePlan(fourteen(), worldOf(cloud, journal))
  assert.equal(cloud.names(), ['net', 'vpc'])
  assert.equal(journal.lines, [])
  assert.is(plan.seen.get('box/vpc')?.step?.change.action, 'update')
  assert.is(plan.seen.get('box/net')?.step, null)
  assert.equal(plan.seen.get('box/server-a')?.step?.unknown, ['box/address-a', 'box/key'])
  const counts = countChanges([...plan.seen.values()].map(it => it.step?.change ?? null))
  assert.equal(counts, { create: 12, update: 1, delete: 0, unchanged: 1 })
})

test('what is only looked at counts for no change, though the look has to wait', async () => {
  const cloud = await cloudBefore()
  const sight = word({ ...box, name: 'sight', looksOnly: true })
  const parent = boxed('a', { name: 'a', parents: [], value: '' })
  const plan = await makePlan(
    [parent, sight('b', { name: 'b', parents: [parent.out.id], value: '' })],
    worldOf(cloud, new Lines(cloud)),
  )
  assert.ok(plan.seen.get('sight/b')?.step)
  assert.equal(countPlanned([...plan.seen.values()]), { create: 1, update: 0, delete: 0, unchanged: 1 })
})

test('parents come first, and what was declared first comes first', () => {
  const order = graphOf(fourteen()).order.map(it => it.id)
  assert.equal(
    order,
    fourteen().map(it => it.id),
  )
})

test('a cycle, a double id and an unknown parent are bugs that name the ids', () => {
  const a = boxed('a', { name: 'a', parents: [], value: '' })
  const b = boxed('b', { name: 'b', parents: [a.out.id], value: '' })
  assert.throws(() => graphOf([a, a]), /two Desired have the id box\/a/)
  assert.throws(() => graphOf([b]), /box\/b needs box\/a/)
  assert.throws(() => graphOf([{ ...a, after: ['box/b'] }, b]), /cycle: box\/a -> box\/b -> box\/a/)
})

test('refs are replaced at any depth and the missing ones are named', () => {
  const want = { deep: [{ $ref: 'x', path: 'id' }], other: { $ref: 'y', path: 'id' } }
  const lives = new Map([['x', { id: 7 }]])
  assert.equal(resolve(want, lives), { value: { deep: [7], other: want.other }, missing: ['y'] })
})

test('all problems of the looks are told at once', async () => {
  const cloud = new Cloud()
  const broken: typeof box = {
    ...box,
    read: want => Promise.reject(new Problem(`${want.name} is odd`, { why: 'w', next: 'n' })),
  }
  const words = word(broken)
  const desired = ['a', 'b'].map(name => words(name, { name, parents: [], value: '' }))
  const error = await makePlan(desired, worldOf(cloud, new Lines(cloud))).then(
    () => null,
    thrown => thrown,
  )
  assert.is(error?.name, 'Problems')
  assert.equal(
    error.all.map((it: Problem) => it.message),
    ['a is odd', 'b is odd'],
  )
})

for (const { when, change, ref, unknown } of [
  { when: 'is only changed', change: { action: 'update', summary: '' }, ref: true, unknown: [] },
  {
    when: 'is not ready',
    change: { action: 'update', summary: '', unready: true },
    ref: true,
    unknown: ['box/parent'],
  },
  { when: 'is replaced', change: { action: 'replace', summary: '' }, ref: true, unknown: ['box/parent'] },
  {
    when: 'is not ready, but only comes first',
    change: { action: 'update', summary: '', unready: true },
    ref: false,
    unknown: [],
  },
] as const) {
  test(`what looks through a parent that ${when}`, async () => {
    const cloud = new Cloud()
    await cloud.create('parent', [], 'old')
    const parent = word({ ...box, diff: () => change })('parent', { name: 'parent', parents: [], value: 'new' })
    const want = { name: 'child', parents: ref ? [parent.out.id] : [], value: '' }
    const child = word({ ...box, looksThroughParents: true })('child', want, { after: [parent] })
    const plan = await makePlan([parent, child], worldOf(cloud, new Lines(cloud)))
    assert.equal(plan.seen.get('box/child')?.step?.unknown, [...unknown])
  })
}

test('what cannot be looked at while planning is looked at again when it is applied', async () => {
  const cloud = new Cloud()
  let boots = true
  const host = word({
    ...box,
    looksThroughParents: true,
    read(...args: Parameters<typeof box.read>) {
      if (boots) return Promise.reject(new Problem('it boots', { why: 'w', next: 'n' }))
      return box.read(...args)
    },
  })('host', { name: 'host', parents: [], value: 'new' })
  const world = worldOf(cloud, new Lines(cloud))
  const error = await makePlan([host], world).catch(thrown => thrown)
  assert.is(error.message, 'it boots', 'check mode says so')
  const plan = await makePlan([host], world, { later: true })
  assert.equal((await applyPlan(plan, 'test', world)).failures.length, 1, 'it still boots')
  boots = false
  assert.equal((await applyPlan(plan, 'test', world)).failures, [])
  assert.equal(cloud.names(), ['host'])
})

test('independent steps run side by side, dependent ones do not', async () => {
  const cloud = new Cloud()
  let now = 0
  let most = 0
  const slow = {
    ...box,
    async apply(...args: Parameters<typeof box.apply>) {
      most = Math.max(most, ++now)
      await new Promise(done => setTimeout(done, 5))
      now--
      return box.apply(...args)
    },
  }
  const words = word(slow)
  const root = words('root', { name: 'root', parents: [], value: '' })
  const leaves = ['a', 'b', 'c', 'd'].map(name => words(name, { name, parents: [root.out.id], value: '' }))
  const world = worldOf(cloud, new Lines(cloud))
  await applyPlan(await makePlan([root, ...leaves], world), 'test', world)
  assert.is(most, 4)
  assert.is(cloud.made[0], 'root')
})

test('when the operator stops a run, nothing new is started', async () => {
  const cloud = await cloudBefore()
  const journal = new Lines(cloud)
  const stop = new AbortController()
  const world = { ...worldOf(cloud, journal), stop: stop.signal }
  const plan = await makePlan(fourteen(), world)
  world.watch = event => {
    if (event.event === 'step-done') stop.abort()
  }
  const { skipped, failures } = await applyPlan(plan, 'test', world)
  assert.equal(failures, [])
  assert.ok(skipped.includes('box/rollout'))
  const started = journal.lines.filter(it => it.event === 'started').length
  const ended = journal.lines.filter(it => it.event === 'done').length
  assert.is(started, ended, 'every open step was finished')
})
