import { setTimeout as sleep } from 'node:timers/promises'
import type { Waiter } from './poll.ts'
import { bodyOf, isDoubtful, statusOf } from './problems.ts'

/**
 * How far a read may lag behind a write: so long is looked for what may have been made, before it is made again.
 * Scaleway promises nothing; a longer lag, with the one answer lost that would have told, makes twins.
 */
export const lagMs = 3000
const looksMs = [0, 200, 600, 1000, 1200]

/**
 * Makes a thing once, though there are no idempotency keys: looks first, and after a POST that may have taken effect
 * looks again, several times, before it is repeated. A refusal of the repeat may come from the first one's effect.
 */
export const makeOnce = async <T>(
  report: Waiter,
  { look, make, tries = 5 }: { look: () => Promise<T | null>; make: () => Promise<T>; tries?: number },
): Promise<T> => {
  const there = await look()
  if (there !== null) return there
  for (let attempt = 1; ; attempt++) {
    try {
      return await make()
    } catch (error) {
      const doubtful = isDoubtful(error)
      if (!doubtful && attempt === 1 && bodyOf(error).type !== 'already_exists') throw error
      for (const ms of looksMs) {
        await sleep(ms, undefined, { signal: report.signal })
        const found = await look()
        if (found !== null) return found
      }
      if (!doubtful || attempt >= tries) throw error
    }
  }
}

/** Deletes; what is not there is deleted, also by a try whose answer was lost. */
export const discard = async (deleting: Promise<unknown>): Promise<void> => {
  try {
    await deleting
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}
