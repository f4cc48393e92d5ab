import { setImmediate as turn } from 'node:timers/promises'
import { Refused } from './status.ts'

/**
 * Keys to bring up to date. A key is worked on by one at a time and again when it was added meanwhile; work
 * answers in how many ms it wants to look again, if at all; what throws is tried again, later each time.
 */
export const createQueue = (
  name: string,
  work: (key: string) => Promise<number | undefined> | number | undefined,
  { width = 1 } = {},
) => {
  const waiting = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const again = new Set<string>()
  const timers = new Map<string, { timer: NodeJS.Timeout; at: number }>()
  const failures = new Map<string, number>()
  let isOpen = true

  const one = async (key: string) => {
    try {
      const delay = await work(key)
      failures.delete(key)
      if (delay !== undefined) later(key, delay)
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      if (isOpen && !(error instanceof Refused)) console.error(`emulated Kubernetes, ${name} of ${key}:`, error)
      later(key, Math.min(5000, 50 * 2 ** count))
    }
    running.delete(key)
    if (again.delete(key)) waiting.add(key)
    pump()
  }

  const pump = () => {
    for (const key of waiting) {
      if (!isOpen || running.size >= width) return
      waiting.delete(key)
      // Not at once: the one who added it may be in the middle of a write, and requests want their turn.
      running.set(
        key,
        turn().then(() => one(key)),
      )
    }
  }

  const later = (key: string, ms: number) => {
    const at = Date.now() + ms
    const planned = timers.get(key)
    if (!isOpen || (planned && planned.at <= at)) return
    clearTimeout(planned?.timer)
    const timer = setTimeout(() => {
      timers.delete(key)
      add(key)
    }, ms)
    timers.set(key, { timer, at })
  }

  const add = (key: string) => {
    if (!isOpen) return
    if (running.has(key)) again.add(key)
    else {
      waiting.add(key)
      pump()
    }
  }

  return {
    add,
    later,
    /** No more work; resolves when what runs has ended. */
    async close() {
      isOpen = false
      for (const { timer } of timers.values()) clearTimeout(timer)
      await Promise.allSettled(running.values())
    },
  }
}
