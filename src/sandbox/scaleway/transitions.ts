import { setTimeout as sleep } from 'node:timers/promises'
import type { ScalewayState } from './records.ts'
import { showState, stateOf } from './states.ts'

/**
 * A state that takes time. `effect` works on the world meanwhile and runs again after a restart, so it must be
 * idempotent; `done` comes when both the time is over and the effect is through.
 */
export type Phase = {
  effect?(id: string): Promise<void>
  done(id: string): void
  failed(id: string, reason: string): void
}

export type Transitions = {
  define(kind: string, phase: Phase): void
  /** `seconds` as on the real thing. A resource is in one transition at a time: this one replaces another. */
  start(kind: string, id: string, seconds: number): void
  cancel(id: string): void
  /** Work on one resource, after what is already queued for it. Never from inside work on the same one. */
  queue<T>(id: string, work: () => Promise<T>): Promise<T>
  /** The same, for work nobody waits for: a failure is told to `failed` and logged. */
  background(what: string, id: string, work: () => Promise<void>, failed: (reason: string) => void): void
  wait(seconds: number): Promise<void>
  resume(): void
  close(): Promise<void>
}

/** Real durations are multiplied by `scale`; `lastsMs` says of a transition how long it takes instead. */
export type Clock = { scale: number; lastsMs?(kind: string, id: string): number }

type Mine = { kind: string; due: number }

type Options = {
  state: ScalewayState
  clock: Clock
  /** Whether the next transition of a kind is to end elsewhere; null: as it should. */
  strand?(kind: string): { state: string; thenMs?: number } | null
  onChange(): void
  say(what: string): void
}

export const createTransitions = ({ state, clock, strand, onChange, say }: Options): Transitions => {
  const phases = new Map<string, Phase>()
  const tails = new Map<string, Promise<unknown>>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()

  const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal: closing.signal })

  const queue = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const mine = (tails.get(id) ?? Promise.resolve()).then(work)
    const tail = mine.catch(() => {}).finally(() => tails.get(id) === tail && tails.delete(id))
    tails.set(id, tail)
    return mine
  }

  const track = (work: Promise<void>) => {
    running.add(work)
    void work.finally(() => running.delete(work))
  }

  /** False: it stays where the weather left it, and what comes next is a new transition. */
  const weathered = async (kind: string, id: string, mine: Mine): Promise<boolean> => {
    const stuck = strand?.(kind)
    if (!stuck) return true
    const lasts = mine.due - Date.now()
    await pause(lasts)
    if (state.transitions[id] !== mine) return false
    const before = stateOf(state, id)
    showState(state, id, stuck.state)
    onChange()
    if (stuck.thenMs === undefined) {
      delete state.transitions[id]
      return false
    }
    await pause(stuck.thenMs)
    if (state.transitions[id] !== mine) return false
    showState(state, id, before)
    mine.due = Date.now() + lasts
    onChange()
    return true
  }

  const run = async (kind: string, id: string, mine: Mine) => {
    const phase = phases.get(kind)
    if (!phase) throw new Error(`no transition is called ${kind}`)
    let failure: string | null = null
    try {
      if (!(await weathered(kind, id, mine))) return
      const effect = phase.effect ? queue(id, () => phase.effect!(id)) : undefined
      await Promise.all([effect, pause(mine.due - Date.now())])
    } catch (thrown) {
      if (closing.signal.aborted) return // a restart takes it up from here
      failure = reasonOf(thrown)
    }
    if (closing.signal.aborted || state.transitions[id] !== mine) return
    delete state.transitions[id]
    if (failure === null) phase.done(id)
    else {
      say(`${kind} of ${id} failed: ${failure}`)
      phase.failed(id, failure)
    }
    onChange()
  }

  return {
    define(kind, phase) {
      phases.set(kind, phase)
    },
    start(kind, id, seconds) {
      const lastsMs = clock.lastsMs?.(kind, id) ?? seconds * clock.scale * 1000
      const mine = { kind, due: Date.now() + lastsMs }
      state.transitions[id] = mine
      track(run(kind, id, mine))
    },
    cancel(id) {
      delete state.transitions[id]
    },
    queue,
    background(what, id, work, failed) {
      const guarded = queue(id, work).catch(thrown => {
        if (closing.signal.aborted) return
        say(`${what} of ${id} failed: ${reasonOf(thrown)}`)
        failed(reasonOf(thrown))
        onChange()
      })
      track(guarded)
    },
    wait: seconds => pause(seconds * clock.scale * 1000),
    resume() {
      for (const [id, mine] of Object.entries(state.transitions)) track(run(mine.kind, id, mine))
    },
    async close() {
      closing.abort()
      while (running.size) await Promise.allSettled(running)
    },
  }
}

export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
