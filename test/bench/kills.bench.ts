import { createSsh } from '../../src/hosts/ssh.ts'
import { damageOf } from '../support/damage.ts'
import { makeHost } from '../support/host.ts'
import { killedAfter } from '../support/kill.ts'
import { trueHost } from '../support/truth.ts'
import { dice } from './dice.ts'
import type { Bench } from './run.ts'

const kills = 50
/** Hosts side by side, in slots that no test uses. */
const slots = [17, 18]

/** Real processes that mend a damaged host and are killed at a random moment. With `--seed` only that one. */
export const killing: Bench = async ({ seed }) => {
  const first = seed ?? 1
  const seeds = Array.from({ length: seed === undefined ? kills : 1 }, (_, at) => first + at)
  const next = seeds.values()
  const bad: string[] = []
  const ends: Record<'before the change' | 'in it' | 'not killed', number> = {
    'before the change': 0,
    'in it': 0,
    'not killed': 0,
  }
  const began = Date.now()
  const worker = async (slot: number) => {
    const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
    let host = await makeHost(slot)
    try {
      let it = await trueHost(host, ssh)
      for (const seed of next) {
        const rolled = dice(seed)
        // The first rule is the one that lets a new process in.
        const damage = damageOf(rolled).filter(({ refused, name }) => !refused && name !== 'a rule not in the kernel')
        try {
          const said = await killedAfter(it, damage, rolled.between(0, 1000))
          ends[said === 'done' ? 'not killed' : said === 'looked' ? 'before the change' : 'in it']++
        } catch (error) {
          bad.push(`npm run bench -- kills --seed ${seed}: ${error instanceof Error ? error.message : error}`)
          if (seeds.length === 1) console.error(error)
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
  if (bad.length > 0) process.exitCode = 1
  return {
    title: 'A process that mends a damaged host is killed: files whole, Squid up, and a clean run ends as ever',
    head: ['seeds', 'killed before a step was told', 'killed later', 'done before', 'wrong', 'seconds'],
    rows: [
      [
        `${first}-${first + seeds.length - 1}`,
        ...Object.values(ends).map(it => `${it}`),
        ...[`${bad.length}`, `${Math.round((Date.now() - began) / 1000)}`],
      ],
    ],
    notes: bad,
  }
}
