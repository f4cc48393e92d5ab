import { setTimeout as sleep } from 'node:timers/promises'

/** Reads that happen together ask for the same list once. */
export type Lists = {
  /** The list from a moment ago, if nothing was written since; else a new one. */
  shared<T>(key: string, load: () => Promise<T>): Promise<T>
  /** A list that begins only now. Those who ask while another is under way share the next one. */
  next<T>(key: string, load: () => Promise<T>): Promise<T>
  /** Something is being written: what was listed no longer counts. */
  forget(): void
}

/**
 * Short-lived on purpose: long enough for one plan, too short to act on yesterday's news. The age counts from the
 * answer, so a slow API is not asked twice.
 */
export const createLists = ({ maxAgeMs = 5000 } = {}): Lists => {
  const kept = new Map<string, { at: number; list: Promise<unknown> }>()
  const running = new Map<string, Promise<unknown>>()
  const coming = new Map<string, Promise<unknown>>()
  const begin = async <T>(key: string, load: () => Promise<T>): Promise<T> => {
    // Not longer: one that hangs must not hold up the others.
    await Promise.race([running.get(key), sleep(1000, undefined, { ref: false })])
    coming.delete(key)
    const list = load()
    const over = list.then(
      () => {},
      () => {},
    )
    running.set(key, over)
    void over.then(() => running.get(key) === over && running.delete(key))
    return list
  }
  return {
    next<T>(key: string, load: () => Promise<T>): Promise<T> {
      const found = coming.get(key)
      if (found) return found as Promise<T>
      const list = begin(key, load)
      coming.set(key, list)
      return list
    },
    shared<T>(key: string, load: () => Promise<T>): Promise<T> {
      const found = kept.get(key)
      if (found && performance.now() - found.at < maxAgeMs) return found.list as Promise<T>
      const list = load()
      const entry = { at: Number.POSITIVE_INFINITY, list }
      kept.set(key, entry)
      list.then(
        () => {
          entry.at = performance.now()
        },
        () => kept.get(key) === entry && kept.delete(key),
      )
      return list
    },
    forget: () => kept.clear(),
  }
}
