/** One call as its client saw it; times in ms on one clock. */
export type Timed = { method: string; path: string; startMs: number; endMs: number }

/** Calls of which each began only after the one before had been answered. */
export type Chain<T extends Timed> = { calls: T[]; ms: number }

/** The most calls that followed each other. The first to be asked of two equals comes first. */
export const longestChain = <T extends Timed>(calls: readonly T[]): Chain<T> => best(calls, () => 1)

/** The chain that took the longest, waits of the caller between its calls left out. */
export const slowestChain = <T extends Timed>(calls: readonly T[]): Chain<T> => best(calls, it => it.endMs - it.startMs)

type Tail<T extends Timed> = { call: T; before: Tail<T> | null; weight: number }

/** Swept in order of time: a call that begins may follow the heaviest of those that have ended. */
const best = <T extends Timed>(calls: readonly T[], weigh: (call: T) => number): Chain<T> => {
  const starting = calls.toSorted((a, b) => a.startMs - b.startMs)
  const open: Tail<T>[] = []
  let ended: Tail<T> | null = null
  let most: Tail<T> | null = null
  for (const call of starting) {
    for (const it of open.filter(one => one.call.endMs <= call.startMs)) {
      open.splice(open.indexOf(it), 1)
      if (!ended || it.weight > ended.weight) ended = it
    }
    const tail: Tail<T> = { call, before: ended, weight: (ended?.weight ?? 0) + weigh(call) }
    open.push(tail)
    if (!most || tail.weight > most.weight) most = tail
  }
  const chain: T[] = []
  for (let it = most; it; it = it.before) chain.unshift(it.call)
  return { calls: chain, ms: chain.reduce((sum, it) => sum + it.endMs - it.startMs, 0) }
}

/** How often each route was called; ids within the path are `*` where `parents` is false. */
export const countBy = (calls: readonly Timed[], { parents = false } = {}): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { method, path } of calls) {
    const route = `${method} ${parents ? path : path.replaceAll(idPattern, '*')}`
    counts.set(route, (counts.get(route) ?? 0) + 1)
  }
  return counts
}

const idPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
