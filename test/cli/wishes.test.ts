import * as assert from 'uvu/assert'
import { wishOf } from '../../src/cli/commands/hand.ts'
import { parse } from '../../src/cli/flags.ts'
import { createWishes, type Where } from '../../src/cli/rollout/wishes.ts'
import type { LeaseObject } from '../../src/rollout/kube/lease.ts'
import { asAnnotation, asAnswer, asCourse, forgotten, type Request, requestsOf } from '../../src/rollout/requests.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: what operators ask of a run')

let ids = 0
const request = (what: Request['what'], tenants?: string[]): Request => ({
  ...{ id: String(ids++), what, by: 'anna@here', at: '2026-01-01T00:00:00Z' },
  ...(tenants && { tenants }),
})
const moving: Where = { phase: 'canary', takenBack: false }
const paused: Where = { ...moving, waiting: ['a', 'b'] }

test('a pause is for tenants, and resume or promote ends it', () => {
  const wishes = createWishes(['a', 'b'])
  assert.match(wishes.take(request('pause', ['b']), moving), /waits before its next phase; now: canary/)
  assert.is(wishes.pauseOf(['a']), undefined)
  assert.is(wishes.pauseOf(['a', 'b'])?.by, 'anna@here')
  wishes.take(request('resume', ['a']), paused)
  assert.ok(wishes.pauseOf(['b']))
  wishes.take(request('resume'), paused)
  assert.not(wishes.pauseOf(['b']))
})

test('a phase of two tenants is promoted by both, and only for itself', () => {
  const wishes = createWishes(['a', 'b'])
  assert.is(wishes.take(request('promote', ['a']), paused), 'it waits for b still')
  assert.not(wishes.arePromoted(['a', 'b']))
  assert.is(wishes.take(request('promote', ['b']), paused), 'it goes on')
  assert.ok(wishes.arePromoted(['a', 'b']))
  wishes.forget()
  assert.not(wishes.arePromoted(['a']))
  assert.match(wishes.take(request('promote'), moving), /nothing waits to be promoted; now: canary/)
  assert.not(wishes.arePromoted(['a']))
})

test('an abort is for good, and the others go on', () => {
  const wishes = createWishes(['a', 'b', 'd'])
  assert.match(
    wishes.take(request('abort', ['b', 'c']), paused),
    /what moved of b is taken back; then it goes on with a, d$/,
  )
  assert.equal(wishes.aborted?.tenants, ['b'])
  for (const what of ['pause', 'promote', 'resume', 'abort'] as const)
    assert.is(wishes.take(request(what, ['b']), paused), 'nothing: anna@here asked to abort')
  assert.is(wishes.take(request('pause'), paused), 'it waits, until --resume')
  assert.ok(wishes.pauseOf(['a']))
  assert.not(wishes.pauseOf(['b']))
  assert.match(wishes.take(request('abort', ['d']), paused), /what moved of d is taken back; then it goes on with a$/)
  assert.equal(wishes.setAside().tenants, ['b', 'd'])
  assert.is(wishes.aborted, undefined)
  assert.is(wishes.take(request('abort', ['b']), moving), 'nothing: the rollout of b was taken back')
  assert.match(wishes.take(request('abort'), moving), /what moved of a is taken back$/)
  assert.equal(wishes.aborted!.tenants, ['a'])
})

test('what is about others, or comes when all is taken back, changes nothing', () => {
  const wishes = createWishes(['a'])
  assert.is(wishes.take(request('abort', ['z']), moving), 'nothing: this run is about a')
  assert.match(wishes.take(request('abort'), { ...moving, takenBack: true }), /is being taken back/)
  assert.is(wishes.aborted, undefined)
})

test('on a Lease: oldest first, what nobody can read is no wish, and an answer takes it away', () => {
  const [late, early] = [{ ...request('pause'), at: '2026-01-02T00:00:00Z' }, request('abort', ['a'])]
  const broken = {
    'request.kapsule-egress/x': '{',
    'request.kapsule-egress/y': '{"what":"dance","by":"x"}',
    other: 'x',
  }
  const annotations = {
    ...asAnnotation(late),
    ...asAnnotation(early),
    ...broken,
    ...asCourse({ phase: 'canary', tenants: ['a'] }),
  }
  const lease = { metadata: { name: 'l', annotations } } as unknown as LeaseObject
  assert.equal(requestsOf(lease), [early, late])
  assert.is(asAnswer(early.id, 'so')[`request.kapsule-egress/${early.id}`], null)
  const keys = Object.keys(forgotten(lease))
  assert.is(keys.length, 5)
  assert.not(keys.includes('other'))
})

for (const { argv, wish } of [
  { argv: [], wish: undefined },
  { argv: ['--pause'], wish: 'pause' },
  { argv: ['--promote', '--limit', 'a'], wish: 'promote' },
  { argv: ['--abort'], wish: 'abort' },
  { argv: ['--resume'], wish: 'resume' },
  { argv: ['--resume', '--check'], wish: undefined },
  { argv: ['--pause', '--abort'], wish: 2 },
  { argv: ['--abort', '--resume'], wish: 2 },
  { argv: ['--promote', '--check'], wish: 2 },
])
  test(`${argv.join(' ') || 'no flag'}: ${wish === 2 ? 'refused' : (wish ?? 'a run')}`, () => {
    const { flags } = parse('deploy', ['--context', 'test', ...argv], {})
    if (wish !== 2) assert.is(wishOf(flags), wish)
    else
      assert.throws(
        () => wishOf(flags),
        (it: { exit: number }) => it.exit === 2,
      )
  })
