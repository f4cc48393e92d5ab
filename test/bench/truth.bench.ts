import { createSsh } from '../../src/hosts/ssh.ts'
import { damageOf } from '../support/damage.ts'
import { makeHost } from '../support/host.ts'
import { holdTrue, trueHost } from '../support/truth.ts'
import { dice } from './dice.ts'
import type { Bench } from './run.ts'

const states = 200
/** Hosts side by side, in slots that no test uses. */
const slots = [19, 29, 30, 31]

/** Random host states: is what check mode says exactly what the run does? With `--seed` only that state, told in full. */
export const truth: Bench = async ({ seed }) => {
  const first = seed ?? 1
  const seeds = Array.from({ length: seed === undefined ? states : 1 }, (_, at) => first + at)
  const next = seeds.values()
  const began = Date.now()
  const lies: string[] = []
  const planned: string[][] = []
  let damages = 0
  const worker = async (slot: number) => {
    const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
    let host = await makeHost(slot)
    try {
      let it = await trueHost(host, ssh)
      for (const seed of next) {
        const damage = damageOf(dice(seed))
        damages += damage.length
        try {
          planned.push(await holdTrue(it, damage))
        } catch (error) {
          const what = damage.map(({ name }) => name).join('; ')
          lies.push(
            `npm run bench -- truth --seed ${seed} (${what}): ${error instanceof Error ? error.message : error}`,
          )
          if (seeds.length === 1) console.error(error)
          // What is left of it would spoil the next.
          await host.down()
          host = await makeHost(slot)
          it = await trueHost(host, ssh)
        }
      }
    } finally {
      await ssh.close()
      await host.down()
    }
  }
  await Promise.all(slots.slice(0, seeds.length).map(worker))
  if (lies.length > 0) process.exitCode = 1
  const refused = planned.filter(([it]) => it === 'refused').length
  const count = (n: number) => `${n}`
  return {
    title:
      'Random states of a real host: the plan, the run, and what changed, told by digests of /etc, rules and services',
    head: ['states', 'things wrong', 'steps planned and run', 'nothing to do', 'refused, as said', 'lies', 'seconds'],
    rows: [
      [
        `${first}-${first + seeds.length - 1}`,
        count(damages),
        count(planned.flat().filter(it => it !== 'refused').length),
        count(planned.filter(it => it.length === 0).length),
        ...[count(refused), count(lies.length), count(Math.round((Date.now() - began) / 1000))],
      ],
    ],
    notes: lies,
  }
}
