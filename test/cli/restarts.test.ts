import * as assert from 'uvu/assert'
import type { Moved } from '../../playbooks/rollout.ts'
import { restartsBefore } from '../../src/cli/rollout/restarts.ts'
import { movedSoFar } from '../../src/cli/rollout/since-moved.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: restarts before a move')

const move = { tenant: { tenant: 'a', namespace: 'a-demo' }, workload: { kind: 'Deployment', name: 'web' } } as Moved
const group = 'rollout/canary'

const noted = (count: number, over = {}): Entry => ({
  event: 'note',
  topic: 'restarts-before',
  data: { group, tenant: 'a', workload: 'web', restarts: { 'web-1/c': count }, ...over },
})
const passed = (tenant = 'a'): Entry => ({ event: 'note', topic: 'phase-passed', data: { group, tenants: [tenant] } })
const undone: Entry = { event: 'undone', step: 'workload-egress/a-demo/web' }

for (const { when, history, count } of [
  { when: 'nothing was noted', history: [], count: undefined },
  { when: 'before the move', history: [noted(3)], count: 3 },
  { when: 'a killed run noted first', history: [noted(3), noted(5)], count: 3 },
  { when: 'its gates have passed', history: [noted(3), passed()], count: undefined },
  { when: 'gates of another tenant have passed', history: [noted(3), passed('b')], count: 3 },
  { when: 'it was taken back and moves again', history: [noted(3), undone, noted(5)], count: 5 },
  { when: 'it was taken back', history: [noted(3), undone], count: undefined },
  { when: 'another workload', history: [noted(3, { workload: 'api' })], count: undefined },
  { when: 'another phase', history: [noted(3, { group: 'rollout/expand 1/1' })], count: undefined },
]) {
  test(`${when}: ${count}`, () => {
    const lines = history.map((it): Recorded => ({ ...it, time: '', run: 'r' }))
    assert.is(restartsBefore(lines, group, move)?.['web-1/c'], count)
  })
}

const moves = { namespace: 'a-demo', kind: 'Deployment' as const, name: 'web' }
for (const { when, history, counts } of [
  { when: 'moved, and its gates have passed', history: [noted(3, { moves }), passed()], counts: [3] },
  { when: 'noted again by a later phase', history: [noted(3, { moves }), noted(5, { moves })], counts: [3] },
  { when: 'taken back', history: [noted(3, { moves }), undone], counts: [] },
  { when: 'by a run that does not know what moved', history: [noted(3)], counts: [] },
]) {
  test(`what a run has moved so far: ${when}`, () => {
    const lines = history.map((it): Recorded => ({ ...it, time: '', run: 'r' }))
    assert.equal(
      movedSoFar(lines, 'r').map(it => it.restarts['web-1/c']),
      counts,
    )
    assert.equal(movedSoFar(lines, 'another'), [])
  })
}
