import * as assert from 'uvu/assert'
import { graceMs } from '../../src/engine/grace.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('engine/grace')

const begun: Entry = { event: 'run-started', command: 'deploy', context: 'sandbox' }
const undoing: Entry = { event: 'undoing', step: 'vpc/egress' }
const ended = (status: string): Entry => ({ event: 'run-ended', status })
const run = (name: string, at: number, entries: Entry[]): Recorded[] =>
  entries.map((entry, index) => ({ time: new Date(at + index).toISOString(), run: name, ...entry }))

for (const { when, history, grace } of [
  { when: 'no run yet', history: [], grace: 0 },
  { when: 'the last run ended well', history: run('a', 9000, [begun, undoing, ended('ok')]), grace: 0 },
  { when: 'the last run changed nothing', history: run('a', 9000, [begun, ended('failed')]), grace: 0 },
  { when: 'the last run failed just now', history: run('a', 9998, [begun, undoing, ended('failed')]), grace: 3000 },
  { when: 'the last run failed 2 s ago', history: run('a', 7998, [begun, undoing, ended('failed')]), grace: 1000 },
  { when: 'the last run failed long ago', history: run('a', 0, [begun, undoing, ended('failed')]), grace: 0 },
  { when: 'the last run did not end', history: run('a', 0, [begun, undoing]), grace: 3000 },
  {
    when: 'a run before the last did not end',
    history: [...run('a', 0, [begun, undoing]), ...run('b', 5000, [begun, ended('ok')])],
    grace: 0,
  },
  {
    when: 'the clock was set back',
    history: run('a', 90_000, [begun, undoing, ended('failed')]),
    grace: 3000,
  },
] satisfies { when: string; history: Recorded[]; grace: number }[])
  test(when, () => assert.is(graceMs(history, 3000, 10_000), grace))
