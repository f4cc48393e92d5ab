import { setTimeout as sleep } from 'node:timers/promises'

/** One exchange with the API, for counters and traces. `status` is null when no answer came. No secrets in it. */
export type Call = { method: string; path: string; status: number | null; attempt: number; ms: number }

export type HttpOptions = {
  fetch?: typeof fetch
  signal?: AbortSignal | undefined
  onCall?: ((call: Call) => void) | undefined
  /** Before and after everything that may change the world. */
  onWrite?: (() => void) | undefined
  deadlineMs?: number
  attempts?: number
  baseMs?: number
  capMs?: number
}

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])

/**
 * The one seam through which every call goes, as the SDK has no deadline and no retry of its own. A POST is repeated
 * only where it cannot have taken effect: turned away by the rate limit, or never connected.
 */
export const createHttpClient = (options: HttpOptions = {}): typeof fetch => {
  const { signal, onCall, onWrite, deadlineMs = 30_000, attempts = 6, baseMs = 500, capMs = 30_000 } = options
  const send = options.fetch ?? fetch

  const once = async (request: Request, attempt: number): Promise<Response | Error> => {
    const started = performance.now()
    const deadline = AbortSignal.timeout(deadlineMs)
    const told = (status: number | null) =>
      onCall?.({
        method: request.method,
        path: new URL(request.url).pathname,
        status,
        attempt,
        ms: Math.round(performance.now() - started),
      })
    try {
      const response = await send(request.clone(), { signal: signal ? AbortSignal.any([signal, deadline]) : deadline })
      const whole = await inMemory(response) // a body cut half-way is a dead connection too
      told(response.status)
      return whole
    } catch (thrown) {
      told(null)
      signal?.throwIfAborted()
      return thrown instanceof Error ? thrown : new Error(String(thrown))
    }
  }

  return async (input, init) => {
    const request = new Request(input, init)
    const writes = request.method !== 'GET'
    if (writes) onWrite?.()
    try {
      for (let attempt = 1; ; attempt++) {
        signal?.throwIfAborted()
        const outcome = await once(request, attempt)
        if (attempt >= attempts || !mayRepeat(request.method, outcome)) {
          if (outcome instanceof Error) throw outcome
          return outcome
        }
        await sleep(delayMs(outcome, attempt, baseMs, capMs), undefined, { signal: signal as AbortSignal })
      }
    } finally {
      if (writes) onWrite?.()
    }
  }
}

const mayRepeat = (method: string, outcome: Response | Error): boolean => {
  if (outcome instanceof Error) return idempotent.has(method) || neverConnected(outcome)
  if (outcome.status === 429) return true
  return outcome.status >= 500 && idempotent.has(method)
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

/** Full jitter, so that many clients do not come back together; Retry-After where the API says it. */
const delayMs = (outcome: Response | Error, attempt: number, baseMs: number, capMs: number): number => {
  const asked = outcome instanceof Response ? retryAfterMs(outcome.headers.get('retry-after')) : null
  if (asked !== null) return Math.min(asked, 60_000)
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt)
}

const retryAfterMs = (header: string | null): number | null => {
  if (!header) return null
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}

const inMemory = async (response: Response): Promise<Response> => {
  const { status, statusText, headers } = response
  const body = status === 204 || status === 304 ? null : await response.arrayBuffer()
  return new Response(body, { status, statusText, headers })
}
