import { graphOf } from '../../src/engine/graph.ts'
import type { Pace } from '../../src/scaleway/pace.ts'
import { connect, openCloud, traced, unhurried } from './cloud.ts'
import { provision } from './provision.ts'
import type { Bench } from './run.ts'
import { criticalPath, type Interval, needOf, noteCall, type StepTrace, watched } from './steps.ts'
import { wish } from './tenants.ts'

const callMs = 200
const waitMs = 2000

/** A first deploy against the path that nothing could shorten: its calls in a row and its waits. */
export const apply: Bench = async () => {
  const rows: string[][] = []
  const notes: string[] = []
  for (const [tenants, pace] of [
    [2, undefined],
    [10, undefined],
    [50, undefined],
    [50, unhurried()],
  ] as const) {
    const { totalMs, path, steps, calls } = await measure(tenants, pace)
    rows.push([
      `${tenants}`,
      pace ? 'none' : 'polite',
      `${calls}`,
      (totalMs / 1000).toFixed(1),
      (path.ms / 1000).toFixed(1),
      (totalMs / path.ms).toFixed(2),
      `${path.calls}`,
      (path.waitMs / 1000).toFixed(1),
      (steps / 1000).toFixed(0),
    ])
    if (rows.length === 1) notes.push(`the critical path: ${path.words.join(' > ')}`)
  }
  return {
    title: `First deploy, ${callMs} ms a call and ${waitMs / 1000} s a wait`,
    head: [
      'tenants',
      'pace',
      'calls',
      's',
      'critical path s',
      'ratio (< 1.2)',
      'its calls',
      'its waits s',
      'one by one s',
    ],
    rows,
    notes: [...notes, 'in brackets: calls in a row + seconds in transition of a step'],
  }
}

const measure = async (tenants: number, pace: Pace | undefined) => {
  const wished = await wish(tenants)
  const transitions: Interval[] = []
  const cloud = await openCloud({
    scale: waitMs / 46_000,
    lastsMs(_kind, id) {
      const startMs = performance.now()
      transitions.push({ id, startMs, endMs: startMs + waitMs })
      return waitMs
    },
  })
  const traces = new Map<string, StepTrace>()
  try {
    const { send, calls } = traced(callMs, noteCall)
    const clients = await connect(cloud.url, 'bench', { fetch: send, ...(pace && { pace }) })
    const desired = watched(wished.cloud, traces)
    const began = performance.now()
    await provision(desired, clients)
    const totalMs = performance.now() - began
    const needs = new Map([...traces].map(([id, trace]) => [id, needOf(trace, transitions)]))
    const cost = (id: string) => (needs.get(id)?.calls ?? 0) * callMs + (needs.get(id)?.waitMs ?? 0)
    const { ids, ms } = criticalPath(graphOf(desired).parents, cost)
    const sum = (of: (id: string) => number) => ids.reduce((all, id) => all + of(id), 0)
    const words = ids.map(id => `${id} (${needs.get(id)?.calls}+${((needs.get(id)?.waitMs ?? 0) / 1000).toFixed(1)})`)
    const path = {
      ms,
      words,
      calls: sum(it => needs.get(it)?.calls ?? 0),
      waitMs: sum(it => needs.get(it)?.waitMs ?? 0),
    }
    return { totalMs, path, calls: calls.length, steps: [...needs.keys()].reduce((all, id) => all + cost(id), 0) }
  } finally {
    await cloud.close()
    await wished.remove()
  }
}
