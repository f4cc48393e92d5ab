import * as assert from 'uvu/assert'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import type { Json } from '../../src/engine/json.ts'
import { standing } from '../../src/engine/undo.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('engine: what stands of the journals')

const line = (run: string, entry: Entry): Recorded => ({ time: '', run, ...entry })
const change = { action: 'update', summary: '' } as const
const made = (run: string, step: string, before: Json, now: Json): Recorded[] => [
  line(run, { event: 'started', step, kind: 'box', group: 'g', needs: [], want: null, before, change }),
  line(run, { event: 'done', step, now }),
]
const undone = (run: string, step: string, runs?: string[]) =>
  line(run, { event: 'undone', step, ...(runs && { runs }) })
const seen = (history: Recorded[], run?: string) =>
  standing(history, run === undefined ? undefined : layer => layer.run === run).map(({ step, before, now, runs }) => ({
    step,
    before,
    now,
    runs,
  }))

const twoRuns = [...made('A', 'x', null, 'a'), ...made('A', 'y', null, 'a'), ...made('B', 'x', 'by hand', 'a')]

for (const { when, history, run, stands } of [
  {
    when: 'two runs on one step are undone once, to before the first',
    history: twoRuns,
    stands: [
      { step: 'x', before: null, now: 'a', runs: ['A', 'B'] },
      { step: 'y', before: null, now: 'a', runs: ['A'] },
    ],
  },
  {
    when: 'only the later run',
    history: twoRuns,
    run: 'B',
    stands: [{ step: 'x', before: 'by hand', now: 'a', runs: ['B'] }],
  },
  {
    when: 'the earlier run takes what lies on it along',
    history: twoRuns,
    run: 'A',
    stands: [
      { step: 'x', before: null, now: 'a', runs: ['A', 'B'] },
      { step: 'y', before: null, now: 'a', runs: ['A'] },
    ],
  },
  {
    when: 'the later run was taken back: the earlier one still stands',
    history: [...twoRuns, undone('C', 'x', ['B'])],
    stands: [
      { step: 'x', before: null, now: 'a', runs: ['A'] },
      { step: 'y', before: null, now: 'a', runs: ['A'] },
    ],
  },
  { when: 'all was taken back', history: [...twoRuns, undone('C', 'x', ['A', 'B']), undone('C', 'y')], stands: [] },
  {
    when: 'a start without an ending is a doubt',
    history: twoRuns.slice(0, 1),
    stands: [{ step: 'x', before: null, now: undefined, runs: ['A'] }],
  },
  {
    when: 'one run that touched a step twice is one layer',
    history: [...made('A', 'x', null, 'half'), ...made('A', 'x', 'half', 'whole')],
    stands: [{ step: 'x', before: null, now: 'whole', runs: ['A'] }],
  },
  {
    when: 'what was undone and made again starts anew',
    history: [...made('A', 'x', null, 'a'), undone('B', 'x', ['A']), ...made('C', 'x', 'other', 'a')],
    stands: [{ step: 'x', before: 'other', now: 'a', runs: ['C'] }],
  },
] as { when: string; history: Recorded[]; run?: string; stands: unknown[] }[]) {
  test(when, () => assert.equal(seen(history, run), stands))
}
