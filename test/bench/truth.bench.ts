import { damageOf } from '../support/damage.ts'
import { holdTrue } from '../support/truth.ts'
import { dice } from './dice.ts'
import type { Bench } from './run.ts'
import { eachOnTrueHosts, seedsFor } from './true-hosts.ts'

const states = 200
/** Hosts side by side, in slots that no test uses. */
const slots = [19, 29, 30, 31]

/** Random host states: is what check mode says exactly what the run does? With `--seed` only that state, told in full. */
export const truth: Bench = async ({ seed }) => {
  const seeds = seedsFor(seed, states)
  const began = Date.now()
  const planned: string[][] = []
  let damages = 0
  const lies = await eachOnTrueHosts(slots, seeds, async (it, seed) => {
    const damage = damageOf(dice(seed))
    damages += damage.length
    planned.push(await holdTrue(it, damage))
  })
  if (lies.length > 0) process.exitCode = 1
  const refused = planned.filter(([it]) => it === 'refused').length
  const count = (n: number) => `${n}`
  return {
    title:
      'Random states of a real host: the plan, the run, and what changed, told by digests of /etc, rules and services',
    head: ['states', 'things wrong', 'steps planned and run', 'nothing to do', 'refused, as said', 'lies', 'seconds'],
    rows: [
      [
        `${seeds[0]}-${seeds.at(-1)}`,
        count(damages),
        count(planned.flat().filter(it => it !== 'refused').length),
        count(planned.filter(it => it.length === 0).length),
        ...[count(refused), count(lies.length), count(Math.round((Date.now() - began) / 1000))],
      ],
    ],
    notes: lies.map(({ seed, said }) => `npm run bench -- truth --seed ${seed} (${namesOf(seed)}): ${said}`),
  }
}

const namesOf = (seed: number) =>
  damageOf(dice(seed))
    .map(it => it.name)
    .join('; ')
