import * as assert from 'uvu/assert'
import { applyPlan } from '../../src/engine/apply.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { standing, undoAll } from '../../src/engine/undo.ts'
import { suite } from '../support/suite.ts'
import { boxes, type Cloud, cloudBefore, fourteen, Lines, worldOf } from './support.ts'

const { test } = suite('engine: a failure at each step, a power cut after each line')

const run = async (cloud: Cloud, journal: Lines) => {
  const world = worldOf(cloud, journal)
  return applyPlan(await makePlan(fourteen(), world), 'test', world)
}

const rollBack = async (cloud: Cloud, journal: Lines) =>
  undoAll(standing(journal.lines), boxes, worldOf(cloud, journal))

const everything = fourteen()
  .map(it => it.id.slice('box/'.length))
  .sort()

const holdsAll = (cloud: Cloud, when: string) => {
  assert.equal(cloud.names(), everything, `${when}: all boxes are there`)
  assert.equal(new Set(cloud.made).size, cloud.made.length, `${when}: nothing was made twice`)
  assert.ok(
    [...cloud.boxes.values()].every(it => it.value === 'new'),
    `${when}: all values are new`,
  )
}

const holdsWhatWas = (cloud: Cloud, when: string) => {
  assert.equal(cloud.names(), ['net', 'vpc'], `${when}: nothing is left behind`)
  assert.is(cloud.boxes.get('vpc')?.value, 'old', `${when}: the earlier value is back`)
}

/** How many lines a whole run writes: also shows that the loop below covers all of them. */
const linesOfAWholeRun = async () => {
  const cloud = await cloudBefore()
  const journal = new Lines(cloud)
  await run(cloud, journal)
  return journal.lines.length
}

test('a whole run, a second one that does nothing, and back', async () => {
  const cloud = await cloudBefore()
  const journal = new Lines(cloud)
  assert.equal((await run(cloud, journal)).failures, [])
  holdsAll(cloud, 'after the run')
  const lines = journal.lines.length
  const again = await run(cloud, journal)
  assert.ok([...again.changes.values()].every(it => it === null))
  assert.is(journal.lines.length, lines, 'an empty plan writes nothing')
  assert.equal((await rollBack(cloud, journal)).failures, [])
  holdsWhatWas(cloud, 'after rolling back')
  assert.equal((await rollBack(cloud, journal)).undone, [], 'a second rollback has nothing to do')
})

for (const moment of ['before', 'after'] as const) {
  test(`a failure ${moment} the effect of each step, then a run, then back`, async () => {
    for (const name of everything.filter(it => it !== 'net')) {
      const cloud = await cloudBefore()
      const journal = new Lines(cloud)
      cloud.failing.set(name, moment)
      const broken = await run(cloud, journal)
      assert.equal(
        broken.failures.map(it => it.step),
        [`box/${name}`],
      )
      cloud.failing.clear()
      assert.equal((await run(cloud, journal)).failures, [])
      holdsAll(cloud, `${name} failed ${moment}, resumed`)
      await rollBack(cloud, journal)
      holdsWhatWas(cloud, `${name} failed ${moment}, resumed, rolled back`)
    }
  })

  test(`a failure ${moment} the effect of each step, then back at once`, async () => {
    for (const name of everything.filter(it => it !== 'net')) {
      const cloud = await cloudBefore()
      const journal = new Lines(cloud)
      cloud.failing.set(name, moment)
      await run(cloud, journal)
      cloud.failing.clear()
      assert.equal((await rollBack(cloud, journal)).failures, [])
      holdsWhatWas(cloud, `${name} failed ${moment}, rolled back`)
    }
  })
}

test('a power cut after each journal line, then a run, then back', async () => {
  const total = await linesOfAWholeRun()
  assert.ok(total >= 26, `${total} lines`)
  for (let line = 1; line <= total; line++) {
    const cloud = await cloudBefore()
    const before = new Lines(cloud, [], line)
    await run(cloud, before).catch(() => {})
    cloud.powered = true
    assert.is(before.lines.length, line)
    const after = new Lines(cloud, before.lines)
    assert.equal((await run(cloud, after)).failures, [])
    holdsAll(cloud, `cut after line ${line}, resumed`)
    await rollBack(cloud, after)
    holdsWhatWas(cloud, `cut after line ${line}, resumed, rolled back`)
  }
})

test('a power cut after each journal line, then back, with a second cut after each line of that', async () => {
  const total = await linesOfAWholeRun()
  for (let line = 1; line <= total; line++) {
    for (let second = 1; ; second++) {
      const cloud = await cloudBefore()
      const journal = new Lines(cloud, [], line)
      await run(cloud, journal).catch(() => {})
      cloud.powered = true
      await rollBack(cloud, new Lines(cloud, journal.lines, second)).catch(() => {})
      const cut = !cloud.powered
      cloud.powered = true
      assert.equal((await rollBack(cloud, new Lines(cloud, journal.lines))).failures, [])
      holdsWhatWas(cloud, `cut after line ${line}, rolling back cut after line ${second}`)
      if (!cut) break
    }
  }
})
