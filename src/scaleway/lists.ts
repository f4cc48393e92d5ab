/** Reads that happen together ask for the same list once. */
export type Lists = {
  /** The list from a moment ago, if nothing was written since; else a new one. */
  shared<T>(key: string, load: () => Promise<T>): Promise<T>
  /** Something is being written: what was listed no longer counts. */
  forget(): void
}

/**
 * Short-lived on purpose: long enough for one plan, too short to act on yesterday's news. The age counts from the
 * answer, so a slow API is not asked twice.
 */
export const createLists = ({ maxAgeMs = 5000 } = {}): Lists => {
  const kept = new Map<string, { at: number; list: Promise<unknown> }>()
  return {
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
