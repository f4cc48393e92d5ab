import { routeOf } from './route.ts'

/**
 * How long a 403 is believed to pass: IAM takes up to two minutes to spread a new key or policy.
 * Short while we only look, long once this run has begun to change something.
 */
export type Refusals = {
  allowed(request: Request): void
  /** Milliseconds until the next try, null: the refusal stands. `first`: worth a word to the operator. */
  pause(request: Request): { ms: number; first: boolean } | null
}

export const createRefusals = ({ lookingMs = 15_000, changingMs = 120_000 } = {}): Refusals => {
  const since = new Map<string, number>()
  const known = new Set<string>()
  let changing = false
  return {
    allowed(request) {
      known.add(keyOf(request))
      since.delete(keyOf(request))
    },
    pause(request) {
      if (isAskedAhead(request)) return null
      const key = keyOf(request)
      changing ||= request.method !== 'GET'
      const now = performance.now()
      const first = !since.has(key)
      if (first) since.set(key, now)
      const elapsed = now - since.get(key)!
      // What was allowed before is not new: then only the spreading of a policy over servers is waited for.
      const left = (changing && !known.has(key) ? changingMs : lookingMs) - elapsed
      return left <= 0 ? null : { ms: Math.min(left, 5000, Math.max(lookingMs / 30, elapsed / 3)), first }
    },
  }
}

/** What is only good to know before a plan is carried out, and for which many keys have no permission. */
const isAskedAhead = ({ url }: Request): boolean => {
  const { service, collection } = routeOf(url)
  return service === 'account' || service === 'marketplace' || collection === 'products'
}

/** Reading and writing are permissions of their own, and so is every collection. */
const keyOf = ({ method, url }: Request): string => {
  const { service, collection } = routeOf(url)
  return `${method === 'GET' ? 'read' : 'write'} ${service} ${collection}`
}
