import { createChances, globbed } from '../chances.ts'
import type { Effect, Fault } from './conditions.ts'

export type Met = { latencyMs: number; effect: Exclude<Effect, { latencyMs: unknown }> | null; words: string[] }

/** Asks each fault in order whether it hits this call. Repeatable: chance comes from the seed alone. */
export const createFaults = (faults: Fault[], seed: number, now = Date.now) => {
  const { random, hits } = createChances(faults, seed, now)
  const matches = faults.map(it => matcher(it.on ?? {}))

  return (call: Call): Met => {
    const met: Met = { latencyMs: 0, effect: null, words: [] }
    for (const [index, fault] of faults.entries()) {
      if (!matches[index]!(call) || !hits(index)) continue
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
