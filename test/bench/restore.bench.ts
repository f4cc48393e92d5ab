import { rmSync } from 'node:fs'
import { startFleet } from '../support/fleet/fleet.ts'
import { nameOf } from '../support/fleet/inventory.ts'
import { forward, stateOf } from '../support/fleet/run.ts'
import type { Bench } from './run.ts'

const batch = 20
const rounds = 5
const mostSeconds = 5

/** From a look that sees a wrong address in a batch to the last label of it that is taken back: sent, without the answer. */
export const restore: Bench = async () => {
  const liar = nameOf(7)
  let seenAt = 0
  const isAstray = ({ name }: { name: string }, command: string[]) => {
    if (!name.startsWith(`${liar}-`) || command.includes('--proxy')) return false
    seenAt ||= Date.now()
    return true
  }
  const fleet = await startFleet({ workloads: batch + 1, batches: ['100%'] }, { isAstray })
  const seconds: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      seenAt = 0
      const restored = new Map<string, number>()
      const wrote = (how: string, what: unknown) => {
        const { kind, metadata, spec } = what as { kind: string; metadata: { name: string }; spec?: object }
        if (how === 'apply' && kind === 'Deployment' && !spec) restored.set(metadata.name, Date.now())
      }
      const problem = await forward(fleet, `${round}`, {}, { wrote }).then(() => null).catch((it: Error) => it) // biome-ignore format: one line
      restored.delete(nameOf(0))
      if (!/did not hold/.test(`${problem?.message}`) || restored.size !== batch)
        throw new Error(`${restored.size} of ${batch} were taken back`, { cause: problem })
      seconds.push((Math.max(...restored.values()) - seenAt) / 1000)
      rmSync(stateOf(fleet, `${round}`), { recursive: true, force: true })
    }
  } finally {
    await fleet.close()
  }
  if (Math.max(...seconds) >= mostSeconds) process.exitCode = 1
  const sorted = seconds.sort((a, b) => a - b)
  return {
    title: `From the failing look to the last label of a batch of ${batch} taken back, in seconds (< ${mostSeconds})`,
    head: ['rounds', 'least', 'median', 'most'],
    rows: [[`${rounds}`, ...[0, Math.floor(rounds / 2), rounds - 1].map(at => sorted[at]!.toFixed(2))]],
  }
}
