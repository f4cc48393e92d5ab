import { suite } from '../suite.ts'
import { openRange, type Range, survive, type Trial } from './trial.ts'

/** One after the other with 12 workloads. Longer than a file may take, so each has its share. */
export const every = (name: string, trials: (range: Range) => ({ when: string } & Trial)[]): void => {
  const { test, before, after } = suite(`rollout, whole: ${name}`, { seconds: 880 })
  let range: Range
  before(async () => {
    range = await openRange('whole')
  })
  after(() => range?.fleet.close())
  test(name, async () => {
    for (const { when, ...trial } of trials(range)) await survive(range, when, trial)
  })
}

/** The numbers from 1 to `total`; of several shares every so manieth. */
export const upTo = (total: number, { share = 0, of = 1 } = {}): number[] =>
  Array.from({ length: total }, (_, at) => at + 1).filter(it => it % of === share)
