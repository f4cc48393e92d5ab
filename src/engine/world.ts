import type { EngineEvent, Watch } from './events.ts'
import type { Journal } from './journal.ts'
import type { AnyKind, Report } from './kind.ts'

/** All that a run is given from outside. The engine itself knows no cloud, host or cluster. */
export type World = {
  /** The clients a Kind is called with; made on first use. */
  clientsFor(kind: AnyKind): unknown
  journal: Journal
  watch: Watch
  /** Only looking: set while a plan is made. */
  planning?: boolean
  /** Start nothing new (first Ctrl-C). */
  stop: AbortSignal
  /** Stop waiting too (second Ctrl-C). */
  abort: AbortSignal
}

/** The voice a Kind is given for one step. */
export const reportFor = (step: string, { watch, journal, abort, planning = false }: World): Report => {
  const since = Date.now()
  const tell = (event: EngineEvent) => watch(event)
  return {
    waiting: what => tell({ event: 'step-waiting', step, what, elapsedMs: Date.now() - since }),
    progress(part, data) {
      journal.record({ event: 'progress', step, part, ...(data === undefined ? {} : { data }) })
      tell({ event: 'step-progress', step, part, ...(data === undefined ? {} : { data }) })
    },
    planning,
    signal: abort,
  }
}
