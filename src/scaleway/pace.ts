import { setTimeout as sleep } from 'node:timers/promises'

/** How fast calls go out. One for all clients of a process, as the limit is on the key and not on the client. */
export type Pace = {
  /** Waits for its turn; gives back what ends it. */
  enter(signal?: AbortSignal): Promise<() => void>
  /** The API asked everybody to slow down: nothing goes out for so long. */
  hold(ms: number): void
}

/** Scaleway was seen to refuse above 100 calls in a second. The plan of fifty tenants is about seventy. */
export const politePace = { perSecond: 80, atOnce: 64 }

/** At most `perSecond` calls begin in any one second, and at most `atOnce` are under way. */
export const createPace = ({ perSecond, atOnce } = politePace): Pace => {
  /** When the last so many began or will begin, as a ring. */
  const turns = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY)
  let next = 0
  const queue: (() => void)[] = []
  let free = atOnce
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
    const turn = Math.max(now, turns[next]! + 1000)
    turns[next] = turn
    next = (next + 1) % perSecond
    return turn - now
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
