import { every, upTo } from '../../support/fleet/every.ts'

every('after every second line of the journal and every write, taken back at once', ({ there, back }) => [
  ...upTo(there.lines, { share: 0, of: 2 }).map(lines => ({
    when: `line ${lines}`,
    there: { lines },
    back: { lines: (lines % back.lines) + 1 },
    resumed: false,
  })),
  ...upTo(there.writes).map(writes => ({ when: `write ${writes}`, there: { writes }, resumed: false })),
])
