import { createSsh } from '../../src/hosts/ssh.ts'
import { makeHost } from '../support/host.ts'
import { type TrueHost, trueHost } from '../support/truth.ts'

/** `count` seeds from the first on, or the one that was asked for. */
export const seedsFor = (seed: number | undefined, count: number): number[] =>
  seed === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [seed]

const newSsh = () => createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })

/** A round for each seed, on hosts side by side in these slots. Returns what went wrong; a single one is told in full. */
export const eachOnTrueHosts = async (
  slots: readonly number[],
  seeds: readonly number[],
  round: (it: TrueHost, seed: number) => Promise<void>,
): Promise<{ seed: number; said: string }[]> => {
  const wrong: { seed: number; said: string }[] = []
  const next = seeds.values()
  const worker = async (slot: number) => {
    let ssh = newSsh()
    let host = await makeHost(slot)
    try {
      let it = await trueHost(host, ssh)
      for (const seed of next)
        try {
          await round(it, seed)
        } catch (error) {
          wrong.push({ seed, said: `${error instanceof Error ? error.message : error}` })
          console.error(`seed ${seed}: ${wrong.at(-1)?.said}`)
          if (seeds.length === 1) console.error(error)
          // What is left of it, and connections to it, would spoil the next at its address.
          await ssh.close()
          await host.down()
          ssh = newSsh()
          host = await makeHost(slot)
          it = await trueHost(host, ssh)
        }
    } finally {
      await ssh.close()
      await host.down()
    }
  }
  await Promise.all(slots.slice(0, seeds.length).map(worker))
  return wrong
}
