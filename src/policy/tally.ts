/** What did not fit: how many keys were let go, and the requests they stood for. */
export type Folded = { keys: number; requests: number }

/**
 * Counts by key in bounded memory: a client may ask for a million names. From twice `most` on, all but the `most`
 * busiest are let go; one that comes again begins anew.
 */
export const createTally = <T extends { requests: number }>(most: number) => {
  const kept = new Map<string, T>()
  const folded: Folded = { keys: 0, requests: 0 }
  const fold = () => {
    for (const [key, { requests }] of busiest(kept).slice(most)) {
      kept.delete(key)
      folded.keys++
      folded.requests += requests
    }
  }
  return {
    folded,
    of(key: string, make: () => T): T {
      const known = kept.get(key)
      if (known) return known
      if (kept.size >= 2 * most) fold()
      const made = make()
      kept.set(key, made)
      return made
    },
    /** The busiest first; equal ones in the order of their keys. */
    list(): T[] {
      fold()
      return busiest(kept).map(([, it]) => it)
    },
  }
}

const busiest = <T extends { requests: number }>(kept: ReadonlyMap<string, T>) =>
  [...kept].sort(([one, a], [other, b]) => b.requests - a.requests || (one < other ? -1 : 1))
