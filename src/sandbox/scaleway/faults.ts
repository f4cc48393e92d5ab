import type { Effect, Fault } from './conditions.ts'

export type Met = { latencyMs: number; effect: Exclude<Effect, { latencyMs: unknown }> | null; words: string[] }

/** Asks each fault in order whether it hits this call. Repeatable: chance comes from the seed alone. */
export const createFaults = (faults: Fault[], seed: number, now = Date.now) => {
  const random = seeded(seed)
  const counters = faults.map(it => ({ seen: 0, hit: 0, firstAt: 0, matches: matcher(it.on ?? {}) }))

  const hits = ({ chance = 1, skip = 0, times = Infinity, forMs = Infinity }: Fault, index: number, call: Call) => {
    const counter = counters[index]!
    if (!counter.matches(call)) return false
    if (counter.hit >= times || (counter.hit > 0 && now() - counter.firstAt >= forMs)) return false
    counter.seen += 1
    if (counter.seen <= skip || random() >= chance) return false
    counter.hit += 1
    if (counter.hit === 1) counter.firstAt = now()
    return true
  }

  return (call: Call): Met => {
    const met: Met = { latencyMs: 0, effect: null, words: [] }
    for (const [index, fault] of faults.entries()) {
      if (!hits(fault, index, call)) continue
      const effect = fault.do
      if ('latencyMs' in effect) {
        const [from, to] = Array.isArray(effect.latencyMs) ? effect.latencyMs : [effect.latencyMs, effect.latencyMs]
        const ms = from + random() * (to - from)
        met.latencyMs += ms
        met.words.push(`latency ${Math.round(ms)}`)
        continue
      }
      met.effect = effect
      met.words.push('cut' in effect ? `cut ${effect.cut}` : `${effect.status}${effect.after ? ' after' : ''}`)
      break
    }
    return met
  }
}

type Call = { method: string; path: string }

const matcher = ({ method, path }: { method?: string; path?: string }) => {
  const pattern = path === undefined ? null : globbed(path)
  return (call: Call) =>
    (method === undefined || method.toUpperCase() === call.method) && (pattern === null || pattern.test(call.path))
}

const globbed = (glob: string) =>
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
