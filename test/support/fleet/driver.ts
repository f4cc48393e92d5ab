import { readFileSync } from 'node:fs'
import { stayLight } from '../../../src/cli/heap.mjs'

/**
 * `driver.ts ROOT HISTORY forward|back|follow [CUT]`: one run as a process of its own, so that it can really be killed,
 * and weighed: its last line says what it took, and how often a workload was written at most.
 */
stayLight() // as every command does, first of all
const { back, follow, forward } = await import('./run.ts')
const [root = '', history = '', act = '', cut = '{}'] = process.argv.slice(2)
const fleet = { root, log: `${root}/access.log`, kubeconfig: `${root}/kubeconfig` }
process.stdout.write('begun\n')
const began = Date.now()
const acts: Record<string, typeof forward> = { back, follow, forward }
const writes = new Map<string, number>()
const wrote = (_how: string, what: unknown) => {
  const { kind, name, metadata } = what as { kind: string; name?: string; metadata?: { name: string } }
  const its = name ?? metadata?.name ?? ''
  if (kind === 'Deployment') writes.set(its, (writes.get(its) ?? 0) + 1)
}
await acts[act]!(fleet, history, JSON.parse(cut), { wrote })
const { user, system } = process.cpuUsage()
const peakKiB = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
const cost = {
  writes: Math.max(0, ...writes.values()),
  seconds: (Date.now() - began) / 1000,
  cpuSeconds: (user + system) / 1e6,
  megabytes: peakKiB / 1024,
}
process.stdout.write(`${JSON.stringify(cost)}\n`)
