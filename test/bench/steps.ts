import { AsyncLocalStorage } from 'node:async_hooks'
import type { Desired } from '../../src/engine/desired.ts'
import type { AnyKind } from '../../src/engine/kind.ts'
import { longestChain, type Timed } from './chains.ts'

/** What one step did, as seen from outside its Kind. Times in ms on one clock. */
export type StepTrace = { id: string; calls: Timed[]; startMs: number; endMs: number; resource: string | null }
/** When a resource was in transition in the cloud. */
export type Interval = { id: string; startMs: number; endMs: number }

const current = new AsyncLocalStorage<StepTrace>()

/** Notes a call with the step it belongs to. */
export const noteCall = (call: Timed): void => void current.getStore()?.calls.push(call)

/** The same things, with Kinds that note when each look and change began and ended, and what it called. */
export const watched = (cloud: readonly Desired[], traces: Map<string, StepTrace>): Desired[] =>
  cloud.map(desired => ({ ...desired, kind: watch(desired.id, desired.kind, traces) }))

const watch = (id: string, kind: AnyKind, traces: Map<string, StepTrace>): AnyKind => {
  const noted = <T>(act: () => Promise<T>) => {
    const trace = traces.get(id) ?? { id, calls: [], startMs: performance.now(), endMs: 0, resource: null }
    traces.set(id, trace)
    return current.run(trace, async () => {
      const result = await act()
      trace.endMs = performance.now()
      trace.resource ??= (result as { id?: string } | null)?.id ?? null
      return result
    })
  }
  return {
    ...kind,
    read: (...args: Parameters<AnyKind['read']>) => noted(() => kind.read(...args)),
    apply: (...args: Parameters<AnyKind['apply']>) => noted(() => kind.apply(...args)),
  }
}

/**
 * What a step cannot do without, whatever else goes on: its calls in a row, and the time its resource was in
 * transition meanwhile. Looks that only found it still in transition are waiting, not work.
 */
export const needOf = (trace: StepTrace, transitions: readonly Interval[]) => {
  const own = transitions.filter(it => it.id === trace.resource && it.endMs > trace.startMs && it.startMs < trace.endMs)
  const work = trace.calls.filter(
    ({ method, startMs }) => method !== 'GET' || !own.some(it => startMs > it.startMs && startMs < it.endMs),
  )
  const waitMs = own.reduce((sum, it) => sum + Math.min(it.endMs, trace.endMs) - it.startMs, 0)
  return { calls: longestChain(work).calls.length, waitMs }
}

/** The way through the graph that takes the longest, were nothing ever waited for but what comes before. */
export const criticalPath = (
  parents: ReadonlyMap<string, readonly string[]>,
  costMs: (id: string) => number,
): { ids: string[]; ms: number } => {
  const known = new Map<string, { ids: string[]; ms: number }>()
  const pathTo = (id: string): { ids: string[]; ms: number } => {
    const found = known.get(id)
    if (found) return found
    const above = (parents.get(id) ?? []).map(pathTo)
    const before = above.reduce((a, b) => (b.ms > a.ms ? b : a), { ids: [] as string[], ms: 0 })
    const path = { ids: [...before.ids, id], ms: before.ms + costMs(id) }
    known.set(id, path)
    return path
  }
  return [...parents.keys()].map(pathTo).reduce((a, b) => (b.ms > a.ms ? b : a), { ids: [], ms: 0 })
}
