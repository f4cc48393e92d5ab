import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { endOf, pauseBefore } from '../../src/cli/rollout/pauses.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: pauses of the inventory')

const group = 'rollout/expand 1/2'
// biome-ignore-start lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
const phase = (...pauses: string[]) =>
  ({
    moves: pauses.map(pause => ({ tenant: { tenant: 'a', namespace: 'a-demo', rollout: { then: { pause } } } })),
  }) as unknown as RolloutPhase
// biome-ignore-end lint/suspicious/noThenProperty: above
const note = (topic: string, data: object = {}): Entry => ({ event: 'note', topic, data: { group, ...data } })
const since = '2026-01-01T00:00:00.000Z'
const begun = note('phase-paused', { by: 'the inventory', since })
const now = new Date('2026-01-01T00:10:00.000Z')
const pauseOf = (lines: Entry[], ...pauses: string[]) =>
  pauseBefore(
    lines.map((it, at): Recorded => ({ time: '', run: String(at), ...it })),
    group,
    phase(...pauses),
    now,
  )

for (const { when, lines = [], pauses, since: from, until } of [
  { when: 'none', pauses: ['none', 'none'] },
  { when: 'a time', pauses: ['none', '10m'], since: now.toISOString(), until: '2026-01-01T00:20:00.000Z' },
  { when: 'two times', pauses: ['1m', '10m'], since: now.toISOString(), until: '2026-01-01T00:20:00.000Z' },
  { when: 'until promoted, beside a time', pauses: ['1m', 'promote'], since: now.toISOString() },
  { when: 'begun by a killed run', lines: [begun], pauses: ['15m'], since, until: '2026-01-01T00:15:00.000Z' },
  { when: 'promoted in a killed run', lines: [begun, note('phase-promoted')], pauses: ['promote'] },
  {
    when: 'promoted in a rollout that was taken back',
    lines: [begun, note('phase-promoted'), { event: 'undone', step: 'x' } as Entry],
    pauses: ['promote'],
    since: now.toISOString(),
  },
  {
    when: 'promoted, and since then another tenant was taken back',
    lines: [
      { event: 'started', step: 'x', want: { namespace: 'b-demo' } } as unknown as Entry,
      begun,
      note('phase-promoted'),
      { event: 'undone', step: 'x' } as Entry,
    ],
    pauses: ['promote'],
  },
  {
    when: 'promoted in a rollout that passed whole',
    lines: [begun, note('phase-promoted'), { event: 'note', topic: 'rollout-passed', data: null } as Entry],
    pauses: ['promote'],
    since: now.toISOString(),
  },
  {
    when: 'promoted in a rollout of this tenant alone that passed whole',
    lines: [
      begun,
      note('phase-promoted'),
      { event: 'note', topic: 'rollout-passed', data: { tenants: ['a'] } } as Entry,
    ],
    pauses: ['promote'],
    since: now.toISOString(),
  },
  {
    when: 'promoted, and since then another tenant passed whole',
    lines: [
      begun,
      note('phase-promoted'),
      { event: 'note', topic: 'rollout-passed', data: { tenants: ['b'] } } as Entry,
    ],
    pauses: ['promote'],
  },
  {
    when: 'begun by hand',
    lines: [note('phase-paused', { by: 'anna', since })],
    pauses: ['promote'],
    since: now.toISOString(),
  },
])
  test(`${when}: ${from ? `since ${from}${until ? ` until ${until}` : ''}` : 'it goes on'}`, () => {
    const pause = pauseOf(lines, ...pauses)
    assert.equal(pause, from && { since: from, ...(until && { until }) })
    if (pause) assert.is(endOf(pause), until ? Date.parse(until) : Number.POSITIVE_INFINITY)
  })
