import { setTimeout as sleep } from 'node:timers/promises'

/** Looks until it is so; false: it was not within that time, which is for hangs only and may be long. */
export const until = async (isTrue: () => Promise<boolean> | boolean, withinSeconds: number): Promise<boolean> => {
  const end = Date.now() + withinSeconds * 1000
  while (!(await isTrue())) {
    if (Date.now() > end) return false
    await sleep(100)
  }
  return true
}
