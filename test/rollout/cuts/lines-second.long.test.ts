import { every, upTo } from '../../support/fleet/every.ts'

every('after every line of the journal, gone on with (second third)', ({ there, back }) =>
  upTo(there.lines, { share: 1, of: 3 }).map(lines => ({
    when: `line ${lines}`,
    there: { lines },
    back: { lines: (lines % back.lines) + 1 },
    resumed: true,
  })),
)
