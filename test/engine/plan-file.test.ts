import * as assert from 'uvu/assert'
import { applyPlan } from '../../src/engine/apply.ts'
import { word } from '../../src/engine/desired.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { type Announced, announce, movedSince, onlyAnnounced } from '../../src/engine/plan-file.ts'
import { suite } from '../support/suite.ts'
import { from, thing, worldFor } from '../support/things.ts'
import { box, Cloud, cloudBefore, fourteen, Lines, worldOf } from './support.ts'

const { test } = suite('engine: a plan that is kept')

const update = { action: 'update', summary: 'update x: size' } as const
const create = { action: 'create', summary: 'create x' } as const
const base: Announced = {
  id: 'box/x',
  kind: 'box',
  want: { size: 1 },
  live: 'aa',
  change: update,
  unknown: [],
  madeAgain: false,
}

for (const { when, past = {}, now = {}, says } of [
  { when: 'nothing moved', says: [] },
  {
    when: 'it was made meanwhile',
    past: { change: create, live: null },
    now: { change: null },
    says: /planned create, now there is one already/,
  },
  { when: 'it was mended meanwhile', now: { change: null }, says: /planned update, now there is nothing to do/ },
  { when: 'it vanished', now: { change: create, live: null }, says: /planned update, now it is not there/ },
  { when: 'it drifted', past: { change: null }, now: { change: update }, says: /planned nothing, now update/ },
  {
    when: 'it must be replaced now',
    now: { change: { ...update, action: 'replace' } },
    says: /planned update, now replace/,
  },
  {
    when: 'another update',
    now: { change: { ...update, summary: 'update x: name' } },
    says: /now another: update x: name/,
  },
  { when: 'what it would be updated from is other', now: { live: 'bb' }, says: /not as it was then/ },
  {
    when: 'nothing is planned and it differs in what nobody asked for',
    past: { change: null },
    now: { change: null, live: 'bb' },
    says: [],
  },
  {
    when: 'the inventory wants something else',
    now: { want: { size: 2 } },
    says: /the inventory wants something else/,
  },
  { when: 'keys in another order', past: { want: { a: 1, b: 2 } }, now: { want: { b: 2, a: 1 } }, says: [] },
  { when: 'another parent is awaited', now: { unknown: ['box/y'] }, says: /planned after nothing, now after box\/y/ },
] as { when: string; past?: Partial<Announced>; now?: Partial<Announced>; says: RegExp | [] }[]) {
  test(when, () => {
    const lines = movedSince([{ ...base, ...past }], [{ ...base, ...now }])
    if (Array.isArray(says)) assert.equal(lines, [])
    else assert.match(lines.join('\n'), says)
    assert.ok(lines.every(it => it.startsWith('box/x: ')))
  })
}

test('what is gone from the inventory and what is new in it are named', () => {
  assert.equal(movedSince([base], [{ ...base, id: 'box/y' }]), [
    'box/x: no longer in the inventory',
    'box/y: not in the plan',
  ])
})

test('two looks at the same world announce the same, and applying that is admitted to its end', async () => {
  const cloud = await cloudBefore()
  const world = worldOf(cloud, new Lines(cloud))
  const planned = JSON.parse(JSON.stringify(announce((await makePlan(fourteen(), world)).seen.values())))
  const plan = await makePlan(fourteen(), world)
  assert.equal(movedSince(planned, announce(plan.seen.values())), [])
  const { failures } = await applyPlan(plan, 'test', world, { admit: onlyAnnounced(planned) })
  assert.equal(failures, [])
  const after = await makePlan(fourteen(), world)
  assert.match(movedSince(planned, announce(after.seen.values()))[0]!, 'box/vpc: planned update, now there is nothing')
})

test('a fresh look that yields something else stops before its write, and nothing later is started', async () => {
  const cloud = new Cloud()
  const parent = word(box)('parent', { name: 'parent', parents: [], value: 'new' })
  const child = word(box)('child', { name: 'child', parents: [parent.out.id], value: 'new' })
  const journal = new Lines(cloud)
  const world = worldOf(cloud, journal)
  const plan = await makePlan([parent, child], world)
  assert.is(plan.seen.get('box/child')?.step?.change.action, 'create')
  // Somebody is faster: it is there, and not as it should be.
  world.watch = event => {
    if (event.event === 'step-done') cloud.boxes.set('child', { id: 'theirs', parents: [], value: 'old' })
  }
  const { failures } = await applyPlan(plan, 'test', world, { admit: onlyAnnounced(announce(plan.seen.values())) })
  assert.match(String((failures[0]!.error as { why: string }).why), 'planned create, now update')
  assert.is(cloud.boxes.get('child')?.value, 'old', 'it was not touched')
  assert.equal(
    journal.lines.map(it => `${it.event} ${'step' in it ? it.step : ''}`),
    ['started box/parent', 'done box/parent', 'failed box/child'],
  )
})

for (const { when, of, action, through = false, passes } of [
  { when: 'nothing was planned', of: { change: null }, action: 'update', passes: false },
  { when: 'as planned', of: {}, action: 'update', passes: true },
  {
    when: 'unseen through its parents, found in part',
    of: { change: create, unknown: ['p'] },
    action: 'update',
    through: true,
    passes: true,
  },
  {
    when: 'unseen through its parents, to be replaced',
    of: { change: create, unknown: ['p'] },
    action: 'replace',
    through: true,
    passes: false,
  },
  {
    when: 'unseen for want of an id, found there',
    of: { change: create, unknown: ['p'] },
    action: 'update',
    passes: false,
  },
  {
    when: 'foreseen as replaced with its parent, and only changed',
    of: { change: { ...update, action: 'replace' }, unknown: ['p'] },
    action: 'update',
    passes: true,
  },
  {
    when: 'taken down and made again',
    of: { change: { ...update, action: 'replace' }, madeAgain: true },
    action: 'create',
    passes: true,
  },
] as {
  when: string
  of: Partial<Announced>
  action: 'create' | 'update' | 'replace'
  through?: boolean
  passes: boolean
}[]) {
  test(`admitted? ${when}: ${passes ? 'yes' : 'no'}`, async () => {
    const it = thing('box/x', {
      change: { action, summary: '' },
      ...(through && { looksThroughParents: true as const }),
    })
    const seen = (await makePlan([it], worldFor())).seen.get('box/x')!
    const ask = () => onlyAnnounced([{ ...base, ...of }])(seen)
    if (passes) ask()
    else assert.throws(ask, /not as the plan said/)
  })
}

test('wants keep their Refs, so that ids of today do not count', async () => {
  const net = thing('net/a', { live: { id: 'today' } })
  const [, server] = announce(
    (await makePlan([net, thing('server/b', { want: { net: from(net) } })], worldFor())).seen.values(),
  )
  assert.equal(server?.want, { net: { $ref: 'net/a', path: 'id' } })
})
