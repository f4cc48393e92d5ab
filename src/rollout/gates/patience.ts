import { setTimeout as delay } from 'node:timers/promises'
import { millis } from '../../engine/duration.ts'
import type { Verdict } from './measure.ts'

/** What becomes of a gate that says nothing: asked again so long, then taken back or left for a person to decide. */
export type Patience = { within: string; then: 'rollback' | 'ask' }

export type Waiting = {
  /** Ends the wait at once, with the verdict as it is. */
  stop: AbortSignal
  onPause: (reason: string, leftMs: number) => void
  now?: () => number
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

const PAUSE_MS = 5000

/** Asks until somebody knows, or the time is over: then the answer is inconclusive, never more. */
export const untilKnown = async (
  ask: () => Promise<Verdict>,
  { within }: Pick<Patience, 'within'>,
  { stop, onPause, now = () => performance.now(), sleep = (ms, signal) => delay(ms, undefined, { signal }) }: Waiting,
): Promise<Verdict> => {
  const until = now() + millis(within)
  for (;;) {
    const verdict = await ask()
    const left = until - now()
    if (verdict.verdict !== 'inconclusive' || left <= 0 || stop.aborted) return verdict
    onPause(verdict.reason, Math.ceil(left))
    await sleep(Math.min(PAUSE_MS, left), stop).catch(thrown => {
      if (!stop.aborted) throw thrown
    })
    if (stop.aborted) return verdict
  }
}
