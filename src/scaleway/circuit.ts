import { Problem } from '../engine/problem.ts'
import { codeOf } from './repeat.ts'

/** Whether the API answers at all. One for all calls of a client. */
export type Circuit = {
  /** Throws at once while nothing answers; now and then one call is let through to see. */
  enter(): void
  answered(): void
  /** It has answered before: what fails now may pass. One that never did is most likely not there. */
  heard(): boolean
  /** No answer came. Gives the Problem of all calls once that has lasted. */
  silence(error: Error, url: string): Problem | null
}

/**
 * Opens after `tries` calls in a row without any answer, over at least `withinMs`, or `firstMs` while none ever came;
 * asks again every `restMs`.
 */
export const createCircuit = ({ tries = 10, withinMs = 10_000, firstMs = 3000, restMs = 5_000 } = {}): Circuit => {
  let heard = false
  let silent = 0
  let since = 0
  let askedAt = 0
  let open: Problem | null = null
  return {
    enter() {
      if (!open) return
      if (performance.now() - askedAt < restMs) throw open
      askedAt = performance.now()
    },
    heard: () => heard,
    answered() {
      heard = true
      silent = 0
      open = null
    },
    silence(error, url) {
      const now = performance.now()
      if (silent++ === 0) since = now
      if (silent < tries || now - since < (heard ? withinMs : Math.min(firstMs, withinMs))) return open
      askedAt = now
      open ??= new Problem('Scaleway: the API does not answer', {
        why: `${new URL(url).origin}: ${codeOf(error) ?? error.message}, ${silent} tries in ${Math.round((now - since) / 1000)} s`,
        next: 'check the network, the proxy settings and SCW_API_URL, then run the same command again',
        cause: error,
      })
      return open
    },
  }
}
