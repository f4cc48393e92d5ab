import { endure } from '../../support/fleet/shares.ts'
import { openRange, type Range } from '../../support/fleet/trial.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite('rollout, whole: it dies, and again when it is gone on with', { seconds: 3500 })

let range: Range
before(async () => {
  range = await openRange('whole')
})
after(() => range?.fleet.close())

test('at each eleventh line, and at the lines after it that the second run comes to', async () => {
  const { there, back } = range
  const trials = Array.from({ length: Math.floor(there.lines / 11) }, (_, at) => {
    const lines = 11 * (at + 1)
    const again = [{ lines: 6 }, { writes: 1 }, { lines: 12 }, { reads: 150 }][at % 4]!
    return { there: { lines }, again, back: { lines: 1 + ((at * 5) % back.lines) }, resumed: at % 3 !== 2 }
  })
  await endure(range, trials)
})
