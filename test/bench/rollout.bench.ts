import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openDoor } from '../support/fleet/fleet.ts'
import type { Bench } from './run.ts'

const fleet = join(import.meta.dirname, '../support/fleet')

/** What it may take, in MB. */
const most = { rollout: 300, tracking: 1024 }

type Cost = { writes: number; seconds: number; cpuSeconds: number; megabytes: number }

/** Rollouts of many workloads in the emulator, whose pods are paper; the run and the emulator are processes of their own. */
export const rollout: Bench = async () => {
  const rows: string[][] = []
  const add = (what: string, limit: number, { cost, calls }: Weighed) => {
    const all = Object.values(calls).reduce((sum, it) => sum + it, 0)
    const watches = Object.entries(calls).flatMap(([key, it]) => (key.startsWith('watch ') ? [it] : []))
    rows.push([
      what,
      ...[cost.seconds.toFixed(0), `${cost.writes}`, `${Math.max(0, ...watches)}`],
      ...[`${all}`, (all / cost.seconds).toFixed(0), cost.cpuSeconds.toFixed(0), cost.megabytes.toFixed(0)],
    ])
    if (cost.megabytes >= limit || cost.writes > 1) process.exitCode = 1
  }
  await inEmulator({ workloads: 1000, batches: ['1%', '10%', '40%', '100%'] }, 3, async weigh => {
    add('1,000 workloads, 3,000 pods', most.rollout, await weigh('forward'))
    add('the same, back', most.rollout, await weigh('back'))
  })
  await inEmulator({ workloads: 2500, batches: ['100%'] }, 3, async weigh => {
    add('10,000 objects looked at and followed', most.tracking, await weigh('follow'))
  })
  return {
    title: `Rollouts in the emulator, all gates asked (< ${most.rollout} MB; 10,000 objects < ${most.tracking} MB)`,
    head: [
      'what',
      'seconds',
      'writes of a workload at most',
      'watches of a kind',
      'requests',
      'a second',
      'CPU s',
      'MB at most',
    ],
    rows,
  }
}

type Weighed = { cost: Cost; calls: Record<string, number> }
type Weigh = (act: string) => Promise<Weighed>

const inEmulator = async (wanted: object, replicas: number, work: (weigh: Weigh) => Promise<void>) => {
  const pods = { replicas, paperMs: 200 }
  const emulator = start('emulator.ts', JSON.stringify(wanted), JSON.stringify(pods))
  const closed = once(emulator, 'close')
  try {
    const [root] = await linesOf(emulator, 1)
    if (!root) throw new Error('the emulator did not start')
    const kubeconfig = `${root}/kubeconfig`
    await work(async act => {
      await openDoor(kubeconfig, 'DELETE', 'calls')
      const lines = await linesOf(start('driver.ts', root, 'bench', act), 2)
      if (lines.length < 2) throw new Error(`${act} did not end well`)
      return { cost: JSON.parse(lines[1]!), calls: (await openDoor(kubeconfig, 'GET', 'calls')) as Weighed['calls'] }
    })
  } finally {
    emulator.stdin?.end()
    await closed
  }
}

const start = (program: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [join(fleet, program), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })

/** The first so many, or fewer when it ends before. */
const linesOf = async ({ stdout }: ChildProcess, count: number): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of createInterface({ input: stdout! })) if (lines.push(line) === count) break
  return lines
}
