import { damageOf } from '../support/damage.ts'
import { killedAfter } from '../support/kill.ts'
import { dice } from './dice.ts'
import type { Bench } from './run.ts'
import { eachOnTrueHosts, seedsFor } from './true-hosts.ts'

const kills = 50
/** Hosts side by side, in slots that no test uses. */
const slots = [17, 18]

/** Real processes that mend a damaged host and are killed at a random moment. With `--seed` only that one. */
export const killing: Bench = async ({ seed }) => {
  const seeds = seedsFor(seed, kills)
  const ends: Record<'before the change' | 'in it' | 'not killed', number> = {
    'before the change': 0,
    'in it': 0,
    'not killed': 0,
  }
  const began = Date.now()
  const wrong = await eachOnTrueHosts(slots, seeds, async (it, seed) => {
    const rolled = dice(seed)
    // The first rule is the one that lets a new process in.
    const damage = damageOf(rolled).filter(({ refused, name }) => !refused && name !== 'a rule not in the kernel')
    const said = await killedAfter(it, damage, rolled.between(0, 1000))
    ends[said === 'done' ? 'not killed' : said === 'looked' ? 'before the change' : 'in it']++
  })
  if (wrong.length > 0) process.exitCode = 1
  return {
    title: 'A process that mends a damaged host is killed: files whole, Squid up, and a clean run ends as ever',
    head: ['seeds', 'killed before a step was told', 'killed later', 'done before', 'wrong', 'seconds'],
    rows: [
      [
        `${seeds[0]}-${seeds.at(-1)}`,
        ...Object.values(ends).map(it => `${it}`),
        ...[`${wrong.length}`, `${Math.round((Date.now() - began) / 1000)}`],
      ],
    ],
    notes: wrong.map(({ seed, said }) => `npm run bench -- kills --seed ${seed}: ${said}`),
  }
}
