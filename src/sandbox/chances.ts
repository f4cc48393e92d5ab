/** When a fault hits the calls it is for: `skip` pass, then `times` are hit, for `forMs` from the first hit on. */
export type Limits = { chance?: number; skip?: number; times?: number; forMs?: number }

/** Counts of several faults, asked in order. Repeatable: chance comes from the seed alone. */
export const createChances = (faults: Limits[], seed: number, now = Date.now) => {
  const random = seeded(seed)
  const counters = faults.map(() => ({ seen: 0, hit: 0, firstAt: 0 }))
  return {
    random,
    /** Asked once for each call that the fault is for. */
    hits(index: number): boolean {
      const { chance = 1, skip = 0, times = Infinity, forMs = Infinity } = faults[index]!
      const counter = counters[index]!
      if (counter.hit >= times || (counter.hit > 0 && now() - counter.firstAt >= forMs)) return false
      counter.seen += 1
      if (counter.seen <= skip || random() >= chance) return false
      counter.hit += 1
      if (counter.hit === 1) counter.firstAt = now()
      return true
    },
  }
}

/** `*` within one segment, `**` any. */
export const globbed = (glob: string) =>
  new RegExp(
    `^${glob
      .split(/(\*\*|\*)/)
      .map(it => (it === '**' ? '.*' : it === '*' ? '[^/]*' : it.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
      .join('')}$`,
  )

/** mulberry32: small, even, and the same everywhere. */
const seeded = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
