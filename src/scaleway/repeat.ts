/** What came of one try: an answer with the `type` its error body has, or no answer. */
export type Outcome = { response: Response; type: string | null } | Error

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])

/** Repeats only where that is safe and may help: a POST only where it cannot have taken effect. */
export const mayRepeat = (method: string, outcome: Outcome): boolean => {
  if (outcome instanceof Error) return idempotent.has(method) || neverConnected(outcome)
  const { response, type } = outcome
  if (response.status === 429) return true // turned away at the door
  return response.status >= 500 && idempotent.has(method) && type !== 'out_of_stock'
}

const neverConnected = (error: Error): boolean => {
  const code = codeOf(error)
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'UND_ERR_CONNECT_TIMEOUT'
}

/** The system's word for a broken connection, e.g. ECONNRESET; fetch hides it in `cause`. */
export const codeOf = (error: unknown): string | undefined => {
  for (let it: unknown = error; it instanceof Error; it = it.cause) {
    const { code } = it as { code?: unknown }
    if (typeof code === 'string') return code
    if (it.name === 'TimeoutError') return 'ETIMEDOUT'
  }
  return undefined
}

/** Full jitter, so that many clients do not come back together; `attempt` counts from 1. */
export const jitterMs = (attempt: number, baseMs: number, capMs: number): number =>
  Math.random() * Math.min(capMs, baseMs * 2 ** attempt)

/** `Retry-After`, in seconds or as a date, as milliseconds from now; null: not said. The 429 of Scaleway has none. */
export const retryAfterMs = (headers: Headers, now = Date.now()): number | null => {
  const said = headers.get('retry-after')?.trim()
  if (!said) return null
  const ms = /^\d+(\.\d+)?$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
