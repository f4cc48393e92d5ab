import * as assert from 'uvu/assert'
import { applyPlan, takeDown } from '../../src/engine/apply.ts'
import { word } from '../../src/engine/desired.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { replacementsIn } from '../../src/engine/replacement.ts'
import { standing, undoAll } from '../../src/engine/undo.ts'
import { suite } from '../support/suite.ts'
import { box, boxes, Cloud, files, Lines, shelfWith, worldOf } from './support.ts'

const { test } = suite('engine: replacing what others live in')

const run = async (cloud: Cloud, journal: Lines, value: string) => {
  const world = worldOf(cloud, journal)
  const plan = await makePlan(shelfWith(value), world)
  const down = await takeDown(plan, 'replace', world)
  if (down.failures.length > 0 || down.skipped.length > 0) return down
  return applyPlan(down.plan, 'test', world)
}

const all = ['address', 'beside', 'cluster', 'net', 'pool', 'root', 'server']

/** Everything of the first run stands, and what the second one has to replace. */
const shelfBefore = async () => {
  const cloud = new Cloud()
  const journal = new Lines(cloud, [], Number.POSITIVE_INFINITY, 'first')
  assert.equal((await run(cloud, journal, 'old')).failures, [])
  return { cloud, first: journal.lines, ids: new Map([...cloud.boxes].map(([name, { id }]) => [name, id])) }
}

const holdsNew = (cloud: Cloud, ids: Map<string, string>, when: string) => {
  assert.equal(cloud.names(), all, `${when}: everything is there`)
  assert.is(cloud.boxes.get('net')?.value, 'new', when)
  const kept = [...cloud.boxes].flatMap(([name, { id }]) => (ids.get(name) === id ? [name] : []))
  assert.equal(kept.sort(), ['beside', 'root'], `${when}: what is not in it stayed`)
}

const rollBack = (cloud: Cloud, lines: Lines['lines']) =>
  undoAll(standing(lines), boxes, worldOf(cloud, new Lines(cloud, lines, Number.POSITIVE_INFINITY, 'back')))

test('the plan names what goes and is made again, and changes nothing', async () => {
  const { cloud } = await shelfBefore()
  const { seen } = await makePlan(shelfWith('new'), worldOf(cloud, new Lines(cloud)))
  assert.equal(replacementsIn(seen), [
    {
      id: 'shelf/net',
      why: 'its value is fixed when it is made',
      holds: true,
      takesDown: ['box/pool', 'shelf/cluster', 'box/server', 'box/address'],
      affects: ['box/address', 'box/server', 'shelf/cluster', 'box/pool'],
    },
  ])
  assert.is(seen.get('box/server')?.step?.change.why, 'it lives in box/address')
  assert.is(seen.get('box/beside')?.step, null)
  assert.equal(cloud.names(), all)
})

test('it is taken down children first, replaced and made again; a second run does nothing', async () => {
  const { cloud, first, ids } = await shelfBefore()
  const journal = new Lines(cloud, first, Number.POSITIVE_INFINITY, 'second')
  assert.equal((await run(cloud, journal, 'new')).failures, [])
  holdsNew(cloud, ids, 'after the run')
  const lines = journal.lines.length
  await run(cloud, journal, 'new')
  assert.is(journal.lines.length, lines, 'an empty plan writes nothing')
  assert.equal((await rollBack(cloud, journal.lines)).failures, [])
  assert.equal(cloud.names(), [], 'all of it was made by us')
})

test('a power cut after each journal line, then a run, or back at once', async () => {
  const { cloud, first } = await shelfBefore()
  const whole = new Lines(cloud, first, Number.POSITIVE_INFINITY, 'second')
  const start = first.length
  await run(cloud, whole, 'new')
  const total = whole.lines.length - start
  assert.is(total, 20, 'four go, the shelf goes, five are made: two lines each')
  for (let line = 1; line <= total; line++) {
    for (const then of ['run', 'back'] as const) {
      const { cloud, first, ids } = await shelfBefore()
      const cut = new Lines(cloud, first, line, 'second')
      await run(cloud, cut, 'new').catch(() => {})
      cloud.powered = true
      const when = `cut after line ${line}, then ${then}`
      if (then === 'run') {
        const after = new Lines(cloud, cut.lines, Number.POSITIVE_INFINITY, 'third')
        assert.equal((await run(cloud, after, 'new')).failures, [], when)
        holdsNew(cloud, ids, when)
      }
      assert.equal((await rollBack(cloud, cut.lines)).failures, [], when)
      assert.equal(cloud.names(), [], `${when}, rolled back`)
    }
  }
})

for (const moment of ['before', 'after'] as const) {
  test(`a failure ${moment} each thing is made again, then a run`, async () => {
    for (const name of ['net', 'address', 'server', 'cluster', 'pool']) {
      const { cloud, first, ids } = await shelfBefore()
      cloud.failing.set(name, moment)
      const broken = await run(cloud, new Lines(cloud, first, Number.POSITIVE_INFINITY, 'second'), 'new')
      assert.equal(
        broken.failures.map(it => it.step.split('/')[1]),
        [name],
      )
      cloud.failing.clear()
      const next = new Lines(cloud, first, Number.POSITIVE_INFINITY, 'third')
      assert.equal((await run(cloud, next, 'new')).failures, [])
      holdsNew(cloud, ids, `${name} failed ${moment}`)
    }
  })
}

test('what was there before us and was replaced cannot be brought back, and rollback says so', async () => {
  const { cloud } = await shelfBefore()
  const journal = new Lines(cloud, [], Number.POSITIVE_INFINITY, 'second')
  await run(cloud, journal, 'new')
  const { failures } = await rollBack(cloud, journal.lines)
  assert.match(String(failures[0]?.error), "can't be brought back")
  assert.equal(cloud.names(), all, 'and nothing was taken away for it')
})

test('what is seen only through a thing goes with it: the journal forgets it', async () => {
  const { cloud, first } = await shelfBefore()
  const server = shelfWith('new').find(it => it.id === 'box/server')!
  const inside = word(files)('inside', {
    name: 'inside',
    parents: [{ $ref: server.id, path: 'id' }],
    value: 'new',
  })
  const journal = new Lines(cloud, first, Number.POSITIVE_INFINITY, 'second')
  const world = worldOf(cloud, journal)
  const plan = await makePlan([...shelfWith('new'), inside], world)
  assert.equal(plan.seen.get('files/inside')?.step?.unknown, ['box/server'])
  const down = await takeDown(plan, 'replace', world)
  assert.not(down.changes.has('files/inside'), 'it is not taken down by itself')
  assert.equal((await applyPlan(down.plan, 'test', world)).failures, [])
  const forgotten = journal.lines.flatMap(it => (it.event === 'undone' ? [it.step] : []))
  assert.equal(forgotten, ['files/inside'])
})

test('a thing that holds nothing is replaced by its own Kind; what takes values from it stays and is looked at again', async () => {
  const cloud = new Cloud()
  const make = (value: string) => {
    const key = word({
      ...box,
      diff: (...args: Parameters<typeof box.diff>) => {
        const change = box.diff(...args)
        return change?.action === 'update' ? { ...change, action: 'replace' as const } : change
      },
    })('key', { name: 'key', parents: [], value })
    return [key, word(box)('user', { name: 'user', parents: [key.out.id], value: 'new' })]
  }
  const journal = new Lines(cloud)
  const world = worldOf(cloud, journal)
  await applyPlan(await makePlan(make('old'), world), 'test', world)
  const plan = await makePlan(make('new'), world)
  assert.equal(plan.seen.get('box/user')?.step?.change.action, 'update')
  assert.is((await takeDown(plan, 'replace', world)).changes.size, 0)
  const { failures, changes } = await applyPlan(plan, 'test', world)
  assert.equal(failures, [])
  assert.is(changes.get('box/user'), null, 'nothing to do after all')
})

for (const { when, diff, sees } of [
  {
    when: 'its own diff tells what another parent means for it',
    diff: (want: { parents: string[] }) =>
      ({ action: 'replace', summary: `parent: id-1 -> ${want.parents[0]}`, why: 'its parent is fixed' }) as const,
    sees: { action: 'replace', summary: 'parent: id-1 -> (known after box/key)', why: 'its parent is fixed' },
  },
  {
    when: 'a diff that needs the value itself is asked later',
    diff: () => {
      throw new Error('no address')
    },
    sees: { action: 'update', summary: 'looked at after box/key' },
  },
]) {
  test(`what takes values from a thing that is replaced: ${when}`, async () => {
    const cloud = new Cloud()
    const { id } = await cloud.create('key', [], 'old')
    await cloud.create('user', [id], 'new')
    const replace = { action: 'replace', summary: 'replace key' } as const
    const key = word({ ...box, diff: () => replace })('key', { name: 'key', parents: [], value: 'new' })
    const other: typeof box = { ...box, name: 'user', diff }
    const user = word(other)('user', { name: 'user', parents: [key.out.id], value: 'new' })
    const { seen } = await makePlan([key, user], worldOf(cloud, new Lines(cloud)))
    assert.equal(seen.get('user/user')?.step?.change, sees)
    assert.equal(seen.get('user/user')?.step?.unknown, ['box/key'])
  })
}
