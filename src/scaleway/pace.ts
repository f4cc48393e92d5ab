import { setTimeout as sleep } from 'node:timers/promises'

/** How fast calls go out. One for all clients of a process, as the limit is on the key and not on the client. */
export type Pace = {
  /** Waits for its turn; gives back what ends it. */
  enter(signal?: AbortSignal): Promise<() => void>
  /** The API asked everybody to slow down: nothing goes out for so long. */
  hold(ms: number): void
}

/**
 * Scaleway was seen to refuse above 100 calls in a second; with these at most 98 start in any one. The burst takes the
 * plan of fifty tenants in one go.
 */
export const politePace = { perSecond: 30, burst: 68, atOnce: 64 }

/** A bucket of `burst` calls that fills at `perSecond`, and at most `atOnce` under way. */
export const createPace = ({ perSecond, burst, atOnce } = politePace): Pace => {
  const eachMs = 1000 / perSecond
  const queue: (() => void)[] = []
  let free = atOnce
  /** When the bucket would be full again. */
  let fullAt = 0
  let heldUntil = 0

  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }
  const seat = async (signal: AbortSignal | undefined) => {
    if (free > 0) return void free--
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const give = () => resolve()
    const leaveQueue = () => {
      const at = queue.indexOf(give)
      if (at >= 0) queue.splice(at, 1)
      reject(signal?.reason)
    }
    queue.push(give)
    signal?.addEventListener('abort', leaveQueue, { once: true })
    await promise.finally(() => signal?.removeEventListener('abort', leaveQueue))
  }
  const turnMs = () => {
    const now = performance.now()
    fullAt = Math.max(now, fullAt) + eachMs
    return Math.max(0, fullAt - burst * eachMs - now)
  }
  const heldMs = () => heldUntil - performance.now()
  return {
    async enter(signal) {
      await seat(signal)
      try {
        // A hold may be prolonged while this one waits.
        for (let ms = Math.max(turnMs(), heldMs()); ms > 0; ms = heldMs())
          await sleep(ms, undefined, signal ? { signal } : {})
      } catch (error) {
        leave()
        throw error
      }
      return once(leave)
    },
    hold(ms) {
      heldUntil = Math.max(heldUntil, performance.now() + ms)
    },
  }
}

const once = (act: () => void) => {
  let done = false
  return () => {
    if (!done) act()
    done = true
  }
}

/** The pace of this process. */
export const sharedPace = createPace()
