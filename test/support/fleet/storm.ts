import { rmSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { newRunId } from '../../../src/engine/journal.ts'
import { Problem } from '../../../src/engine/problem.ts'
import { suite } from '../suite.ts'
import { type Cut, NO_POWER, type Spent } from './power.ts'
import { back, forward, stateOf } from './run.ts'
import { cutsAt } from './shares.ts'
import { openRange, type Range, seen } from './trial.ts'
import { watchman } from './watchman.ts'

/** Every twentieth call fails: turned away, stumbled over before or after its effect, never answered, cut off after it. */
const conditions = (seed: number) => ({
  seed,
  faults: [
    { on: { verb: 'watch' }, chance: 0.05, do: { watch: { cutAfterMs: 200 } } },
    { chance: 0.01, do: { status: 429 } },
    { chance: 0.01, do: { status: 500 } },
    { chance: 0.01, do: { status: 500, after: true } },
    { chance: 0.01, do: { hang: 'before', ms: 300 } },
    { chance: 0.01, do: { cut: 'after' } },
  ],
})

const mostRuns = 6

/** A rollout that dies there, and on its way back, in weather that its seed says. */
type Stormy = { seed: number; there: Cut; back: Cut }

/** Each is begun anew until it comes through. Answers how many runs that took, and how many died of their cut. */
export const weather = async (
  { fleet, most, start, moved }: Range,
  { seed, there, back: home }: Stormy,
): Promise<{ runs: number; cuts: number }> => {
  const { ears, wrong } = watchman(most)
  const when = JSON.stringify({ seed, there, home })
  const history = newRunId()
  const storm = async (act: typeof forward, first: Cut) => {
    await fleet.door('PUT', 'conditions', conditions(seed))
    try {
      return await again(cut => act(fleet, history, cut, ears), first)
    } catch (thrown) {
      throw new Error(`${when}: ${(thrown as Error).message}`, { cause: thrown })
    } finally {
      await fleet.door('DELETE', 'conditions')
    }
  }
  try {
    const out = await storm(forward, there)
    assert.equal(await seen(fleet), moved, `${when}, there`)
    const returned = await storm(back, home)
    assert.equal(await seen(fleet), start, `${when}, back`)
    assert.equal(wrong, [], when)
    return { runs: out.runs + returned.runs, cuts: out.cuts + returned.cuts }
  } finally {
    rmSync(stateOf(fleet, history), { recursive: true, force: true })
    rmSync(fleet.log, { force: true })
  }
}

/** What ends with a Problem is begun anew, as an operator would; a bug is one. */
const again = async (run: (cut: Cut) => Promise<unknown>, first: Cut): Promise<{ runs: number; cuts: number }> => {
  let cuts = 0
  for (let runs = 1; ; runs++) {
    try {
      await run(runs === 1 ? first : {})
      return { runs, cuts }
    } catch (thrown) {
      const died = (thrown as Error).message === NO_POWER
      if (died) cuts++
      else if (!(thrown instanceof Problem)) throw thrown
      if (runs === mostRuns) throw thrown
    }
  }
}

/** After each line and each write of a whole run, each in weather of its own. */
export const stormyCuts = ({ there, back }: Range): Stormy[] => {
  const all = (spent: Spent) => [...cutsAt('lines', spent), ...cutsAt('writes', spent)]
  const home = all(back)
  return all(there).map((cut, at) => ({ seed: at + 1, there: cut, back: home[at % home.length]! }))
}

export const weatherShare = (share: number, of: number): void => {
  const name = `rollout: each twentieth call fails: share ${share} of ${of}`
  const { test, before, after } = suite(name, { seconds: 3500 })
  let range: Range
  before(async () => {
    range = await openRange('whole')
  })
  after(() => range?.fleet.close())
  test('cut after every line and write, it comes to the same objects', async () => {
    const all = stormyCuts(range).filter((_, at) => at % of === share - 1)
    const ends: { runs: number; cuts: number }[] = []
    for (const it of all) ends.push(await weather(range, it))
    const [runs, cuts] = [sum(ends.map(it => it.runs)), sum(ends.map(it => it.cuts))]
    console.log(`counted, ${all.length} rollouts with ${cuts} cuts in ${runs} runs while each twentieth call failed`)
    // In such weather a run may end before its cut.
    assert.ok(cuts >= all.length, `${cuts} of ${2 * all.length} cuts were made`)
  })
}

const sum = (all: number[]): number => all.reduce((total, it) => total + it, 0)
