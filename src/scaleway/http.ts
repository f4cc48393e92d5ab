import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../engine/problem.ts'
import { type Circuit, createCircuit } from './circuit.ts'
import { type Pace, sharedPace } from './pace.ts'
import { createRefusals, type Refusals } from './refusals.ts'
import { jitterMs, mayRepeat, type Outcome, retryAfterMs } from './repeat.ts'
import { routeOf } from './route.ts'

/** One exchange with the API, for counters and traces. `status` is null when no answer came. No secrets in it. */
export type Call = { method: string; path: string; status: number | null; attempt: number; ms: number }

/** What a Problem may want to tell of a request besides its answer. */
export type Note = { tries: number; requestId?: string; retryAt?: Date }

export type HttpOptions = {
  fetch?: typeof fetch
  signal?: AbortSignal | undefined
  onCall?: ((call: Call) => void) | undefined
  /** Before and after everything that may change the world. */
  onWrite?: (() => void) | undefined
  /** Something long is waited for, e.g. a new policy. */
  onWaiting?: ((what: string) => void) | undefined
  /** What was learnt about a request, at every try. */
  onNote?: ((request: Request, note: Note) => void) | undefined
  /** Takes the secrets out of what an error may quote. */
  clean?: (text: string) => string
  pace?: Pace
  circuit?: Circuit
  refusals?: Refusals
  deadlineMs?: number
  attempts?: number
  baseMs?: number
  capMs?: number
  /** The longest `Retry-After` that is waited for; beyond, the Problem says when to come back. */
  retryAfterCapMs?: number
}

/**
 * The one seam through which every call goes, as the SDK has no deadline, no retry and no rate limit of its own.
 * A POST is repeated only where it cannot have taken effect; makeOnce looks before it repeats the rest.
 */
export const createHttpClient = (options: HttpOptions = {}): typeof fetch => {
  const { signal, onCall, onWrite, onWaiting, onNote, clean = it => it } = options
  const { attempts = 6, baseMs = 500, capMs = 30_000, retryAfterCapMs = 60_000, deadlineMs = 30_000 } = options
  const { pace = sharedPace, circuit = createCircuit(), refusals = createRefusals() } = options
  const send = options.fetch ?? fetch
  const rest = (ms: number) => sleep(ms, undefined, signal ? { signal } : {})

  /** One try. Throws where it is of no use to try at all. */
  const once = async (request: Request, attempt: number): Promise<Outcome> => {
    const leave = await pace.enter(signal)
    const started = performance.now()
    const told = (status: number | null) => {
      const { pathname: path } = new URL(request.url)
      onCall?.({ method: request.method, path, status, attempt, ms: Math.round(performance.now() - started) })
    }
    try {
      circuit.enter()
      const deadline = AbortSignal.timeout(deadlineMs)
      const response = await send(request.clone(), { signal: signal ? AbortSignal.any([signal, deadline]) : deadline })
      const outcome = await inMemory(response, clean) // a body cut half-way is a dead connection too
      told(response.status)
      circuit.answered()
      return outcome
    } catch (thrown) {
      signal?.throwIfAborted()
      if (thrown instanceof Problem) throw thrown // nothing answers any more
      told(null)
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const silence = circuit.silence(error, request.url)
      if (silence) throw silence
      return error
    } finally {
      leave()
    }
  }

  /** Milliseconds until the next try; null: what came of this one stands. */
  const pauseMs = (outcome: Outcome, attempt: number): number | null => {
    const jitter = jitterMs(attempt, baseMs, circuit.heard() ? capMs : Math.min(capMs, 1000))
    if (outcome instanceof Error) return jitter
    const asked = retryAfterMs(outcome.response.headers)
    if (asked !== null && asked > retryAfterCapMs) return null
    if (outcome.response.status === 429) pace.hold(asked ?? Math.min(jitter, 1000))
    return asked ?? jitter
  }

  return async (input, init) => {
    const request = new Request(input, init)
    const told = input instanceof Request ? input : request
    const { service } = routeOf(request.url)
    const writes = request.method !== 'GET'
    if (writes) onWrite?.()
    try {
      for (let attempt = 1; ; ) {
        signal?.throwIfAborted()
        const outcome = await once(request, attempt)
        if (!(outcome instanceof Error)) {
          onNote?.(told, noteOf(outcome.response, attempt, clean))
          if (outcome.response.ok) refusals.allowed(request)
          const refused = outcome.type === 'permissions_denied' ? refusals.pause(request) : null
          if (refused) {
            if (refused.first) onWaiting?.(`403 from ${service}: a new policy takes up to two minutes`)
            await rest(refused.ms)
            continue
          }
        } else onNote?.(told, { tries: attempt })
        const ms = attempt < attempts && mayRepeat(request.method, outcome) ? pauseMs(outcome, attempt) : null
        if (ms === null) {
          if (outcome instanceof Error) throw outcome
          return outcome.response
        }
        const said = outcome instanceof Error ? 'no answer' : outcome.response.status
        if (ms > 5000) onWaiting?.(`${said} from ${service}: again in ${Math.round(ms / 1000)} s`)
        await rest(ms)
        attempt++
      }
    } finally {
      if (writes) onWrite?.()
    }
  }
}

const noteOf = ({ headers }: Response, tries: number, clean: (text: string) => string): Note => {
  const requestId = clean(headers.get('x-request-id') ?? '')
  const ms = retryAfterMs(headers)
  return {
    tries,
    // It is shown to people, so only what looks like one.
    ...(/^[\w-]{8,64}$/.test(requestId) && { requestId }),
    ...(ms !== null && { retryAt: new Date(Date.now() + ms) }),
  }
}

/** The whole answer. Errors are what gets printed, so theirs is without secrets before anybody reads it. */
const inMemory = async (response: Response, clean: (text: string) => string): Promise<Outcome> => {
  const { status, statusText } = response
  const headers = plainJson(response.headers)
  const answer = (body: ArrayBuffer | string | null) => new Response(body, { status, statusText, headers })
  if (status === 204 || status === 304) return { response: answer(null), type: null }
  if (status < 400) return { response: answer(await response.arrayBuffer()), type: null }
  const text = clean(await response.text())
  return { response: answer(text), type: typeIn(text) }
}

/** The SDK parses `application/json` and nothing that only begins so. */
const plainJson = (given: Headers): Headers => {
  const headers = new Headers(given)
  if (/^application\/json\s*;/i.test(headers.get('content-type') ?? '')) headers.set('content-type', 'application/json')
  return headers
}

const typeIn = (text: string): string | null => {
  try {
    const { type } = JSON.parse(text) as { type?: unknown }
    return typeof type === 'string' ? type : null
  } catch {
    return null
  }
}
