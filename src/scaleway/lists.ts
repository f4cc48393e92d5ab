/** Reads that happen together ask for the same list once. */
export type Lists = {
  /** The list from a moment ago, if nothing was written since; else a new one. */
  shared<T>(key: string, load: () => Promise<T>): Promise<T>
  /** Something is being written: what was listed no longer counts. */
  forget(): void
}

/** Short-lived on purpose: long enough for one plan, too short to act on yesterday's news. */
export const createLists = ({ maxAgeMs = 2000 } = {}): Lists => {
  const kept = new Map<string, { at: number; list: Promise<unknown> }>()
  return {
    shared<T>(key: string, load: () => Promise<T>): Promise<T> {
      const found = kept.get(key)
      if (found && performance.now() - found.at < maxAgeMs) return found.list as Promise<T>
      const list = load()
      kept.set(key, { at: performance.now(), list })
      list.catch(() => kept.get(key)?.list === list && kept.delete(key))
      return list
    },
    forget: () => kept.clear(),
  }
}
