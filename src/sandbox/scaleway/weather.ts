import { type Answer, Refusal } from './answer.ts'
import { type Conditions, type Effect, type Stuck, type StuckKind, wrongIn } from './conditions.ts'
import { createFaults, type Met } from './faults.ts'
import { countsQuota } from './quotas.ts'

/** The conditions of the moment, with what has been used up of them. Not saved: a restart is fair weather. */
export const createWeather = (changed: (now: Conditions) => void) => {
  let conditions: Conditions = {}
  let meet = createFaults([], 0)
  let admits = limiter(Infinity)
  let used = new Map<Stuck, number>()

  const take = (next: Conditions, given: Conditions) => {
    conditions = next
    // What was not named goes on as it was, counters and all.
    if ('faults' in given || 'seed' in given) meet = createFaults(next.faults ?? [], next.seed ?? 0)
    if ('rateLimit' in given) admits = limiter(next.rateLimit?.perSecond ?? Infinity)
    if ('stuck' in given) used = new Map()
    changed(next)
  }
  const calm: Required<Conditions> = {
    ...{ seed: 0, faults: [], staleMs: 0, lagMs: 0, quotas: {}, rateLimit: { perSecond: 0 }, stuck: [] },
  }

  return {
    get: (): Conditions => structuredClone(conditions),
    /** The same for reading only, without a copy. */
    now: (): Conditions => conditions,
    /** Replaces the members that are given; the others stay. Refuses what it does not understand. */
    set(given: Conditions) {
      const bad = wrongIn(given, countsQuota)
      if (bad.length) throw new Refusal({ status: 400, body: { type: 'invalid_arguments', message: bad.join('; ') } })
      const copy = structuredClone(given)
      take({ ...conditions, ...copy }, copy)
    },
    clear: () => take({}, calm),
    /** What happens to a call on its way, before anything here has looked at it. */
    meet(call: { method: string; path: string }): Met {
      if (!admits()) return { latencyMs: 0, effect: { status: 429 }, words: ['rate limit'] }
      return meet(call)
    },
    stuck(kind: StuckKind): Stuck | null {
      const found = (conditions.stuck ?? []).find(it => it.kind === kind && (used.get(it) ?? 0) < (it.times ?? 1))
      if (!found) return null
      used.set(found, (used.get(found) ?? 0) + 1)
      return found
    },
  }
}

export type Weather = ReturnType<typeof createWeather>

/** A bucket of one second's calls that fills evenly. */
const limiter = (perSecond: number) => {
  let [left, filled] = [perSecond, performance.now()]
  return () => {
    if (perSecond === Infinity) return true
    const at = performance.now()
    left = Math.min(perSecond, left + ((at - filled) / 1000) * perSecond)
    filled = at
    if (left < 1) return false
    left -= 1
    return true
  }
}

type Refused = Extract<Effect, { status: number }>

/** How the real thing says it: a 429 is empty, a 403 names what is missing, what is in front of the API speaks text. */
export const faultAnswer = ({ status, body, headers = {} }: Refused, method: string, path: string): Answer => {
  if (typeof body === 'string') return { status, text: { type: 'text/plain', content: body }, headers }
  if (body !== undefined) return { status, body, headers }
  if (status === 429) return { status, headers: { 'x-envoy-ratelimited': 'true', ...headers } }
  if (status === 403) {
    const details = [{ action: method === 'GET' ? 'read' : 'write', resource: path.split('/')[1] ?? '' }]
    return { status, body: { type: 'permissions_denied', message: 'insufficient permissions', details }, headers }
  }
  if (status >= 502) return { status, text: { type: 'text/plain', content: 'no healthy upstream' }, headers }
  return { status, body: { message: status >= 500 ? 'internal error' : `refused with ${status}` }, headers }
}
