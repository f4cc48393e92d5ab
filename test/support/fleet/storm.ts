import { rmSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { picture } from './picture.ts'
import { back, forward, stateOf } from './run.ts'
import type { Range } from './trial.ts'
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

/** A rollout and its way back in bad weather, each dead once in between. Answers how many runs it took. */
export const weather = async (
  { fleet, most, start, moved, there, back: home }: Range,
  seed: number,
): Promise<number> => {
  const { ears, wrong } = watchman(most)
  const when = `seed ${seed}`
  const share = (total: number) => ({ lines: 1 + ((seed * 7) % total) })
  const storm = async (act: typeof forward, first: { lines: number }) => {
    await fleet.door('PUT', 'conditions', conditions(seed))
    try {
      return await again(cut => act(fleet, when, cut, ears), first)
    } finally {
      await fleet.door('DELETE', 'conditions')
    }
  }
  try {
    const out = await storm(forward, share(there.lines))
    assert.equal(await picture(fleet.kube, { counted: false }), moved, `${when}, there`)
    const returned = await storm(back, share(home.lines))
    assert.equal(await picture(fleet.kube, { counted: false }), start, `${when}, back`)
    assert.equal(wrong, [], when)
    return out + returned
  } finally {
    rmSync(stateOf(fleet, when), { recursive: true, force: true })
    rmSync(fleet.log, { force: true })
  }
}

/** The first run dies. What ends with a Problem is begun anew, as an operator would; a bug is one. */
const again = async (run: (cut: { lines?: number }) => Promise<unknown>, first: { lines: number }): Promise<number> => {
  for (let runs = 1; ; runs++) {
    try {
      await run(runs === 1 ? first : {})
      return runs
    } catch (thrown) {
      if (runs > 1 && !(thrown instanceof Problem)) throw thrown
      if (runs === mostRuns) throw thrown
    }
  }
}
