import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Dispatcher, request } from 'undici'
import type { Json } from '../../engine/json.ts'
import { semaphore } from '../../engine/semaphore.ts'
import type { Access } from './kubeconfig.ts'
import type { Credentials } from './login.ts'
import { isUntrusted, refusal, type Status, silence } from './problem.ts'
import { createRoutes } from './route.ts'

export type Call = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: Json | undefined
  type?: string
  /** What is tried, for problems. */
  doing: string
  signal?: AbortSignal | undefined
}

/** The wire: authentication, a deadline for each try, retries. Answers other than 2xx are thrown as KubeProblems. */
export type Http = {
  json(call: Call): Promise<unknown>
  text(call: Call): Promise<string>
  /** The body as it comes; no deadline once headers are here. One try. */
  stream(call: Call): Promise<Readable>
  close(): Promise<void>
}

const TRIES = 6
/** Since a call was begun: so long a server that has answered before is waited for. It restarts, or its network does. */
const OUTAGE_MS = 60_000
/** Of all that are asked for, at one time: each has a connection of its own. */
const SIDE_BY_SIDE = 48
const DEADLINE_MS = 30_000

export const createHttp = (
  access: Access,
  { signal: all, firstDelayMs = 100 }: { signal?: AbortSignal | undefined; firstDelayMs?: number } = {},
): Http => {
  const { server, login } = access
  const routes = createRoutes(access)
  const turn = semaphore(SIDE_BY_SIDE)
  let hasAnswered = false

  // Not fetch: of what a call costs here it would be most.
  const send = (call: Call, signal: AbortSignal, { token, ...as }: Credentials, encoding: string) =>
    request(urlOf(server, call), {
      method: call.method,
      dispatcher: routes.by(as),
      signal,
      headers: {
        accept: 'application/json',
        'accept-encoding': encoding,
        'user-agent': 'kapsule-egress',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(call.body !== undefined && { 'content-type': call.type ?? 'application/json' }),
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    })

  /** Credentials that ended meanwhile are renewed; a refused call was not acted upon. */
  const once = async (call: Call, signal: AbortSignal, encoding = 'gzip') => {
    const first = await login.current()
    const response = await send(call, signal, first, encoding)
    if (response.statusCode !== 401) return response
    const other = await login.renewed(first)
    if (!other) return response
    await response.body.dump()
    return send(call, signal, other, encoding)
  }

  const answer = async (call: Call): Promise<string> => {
    const stop = AbortSignal.any([all, call.signal].filter(it => it !== undefined))
    const began = performance.now()
    const isLast = (attempt: number, isAway: boolean) =>
      attempt >= TRIES && !(isAway && hasAnswered && performance.now() - began < OUTAGE_MS)
    for (let attempt = 1; ; attempt++) {
      stop.throwIfAborted()
      let wait: number
      try {
        const { response, text } = await turn(() =>
          within(DEADLINE_MS, stop, async signal => {
            const response = await once(call, signal)
            return { response, text: await textOf(response) }
          }),
        )
        const { statusCode: code } = response
        hasAnswered ||= code < 500
        if (isOk(code)) return text
        const status = statusOf(text)
        // A 429 was not acted upon. A 5xx may have been: only what can be said twice is said again.
        const again = code === 429 || (code >= 500 && call.method !== 'POST')
        if (!again || isLast(attempt, isAway(code))) throw refusal(call.doing, server, code, status)
        const asked = Number(response.headers['retry-after'] ?? status.details?.retryAfterSeconds)
        wait = Number.isFinite(asked) && asked > 0 ? Math.min(asked * 1000, 30_000) : 0
      } catch (thrown) {
        stop.throwIfAborted()
        if (!isSilence(thrown)) throw thrown
        const lost = call.method === 'POST' && !neverSent(thrown)
        if (isLast(attempt, true) || lost || isUntrusted(thrown)) throw silence(call.doing, server, thrown)
        wait = 0
      }
      await delay(wait + firstDelayMs * 2 ** Math.min(attempt - 1, 5) * (0.5 + Math.random()), undefined, {
        signal: stop,
      })
    }
  }

  return {
    async json(call) {
      const text = await answer(call)
      return JSON.parse(text)
    },
    text: answer,
    async stream(call) {
      const stop = AbortSignal.any([all, call.signal].filter(it => it !== undefined))
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new Error('no headers in time')), DEADLINE_MS)
      try {
        const { statusCode, body } = await once(call, AbortSignal.any([stop, late.signal]), 'identity')
        if (!isOk(statusCode)) throw refusal(call.doing, server, statusCode, statusOf(await body.text()))
        return body
      } catch (thrown) {
        stop.throwIfAborted()
        throw isSilence(thrown) ? silence(call.doing, server, thrown) : thrown
      } finally {
        clearTimeout(timer)
      }
    },
    close: routes.close,
  }
}

/**
 * With a deadline of its own, and without a trace afterwards: AbortSignal.timeout and any() hold on to a request and its
 * answer until the time is over, which is most of the memory of a run that asks much.
 */
const within = async <T>(ms: number, stop: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const end = new AbortController()
  const stopped = () => end.abort(stop.reason)
  if (stop.aborted) stopped()
  stop.addEventListener('abort', stopped)
  const timer = setTimeout(() => end.abort(new DOMException('no answer in time', 'TimeoutError')), ms)
  try {
    return await act(end.signal)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', stopped)
  }
}

export const urlOf = (server: string, { path, query = {} }: Pick<Call, 'path' | 'query'>): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return `${server}${path}${search ? `?${search}` : ''}`
}

/** What stands before a server says so of one that is not there. */
export const isAway = (status: number): boolean => status >= 502 && status <= 504

const isOk = (status: number): boolean => status >= 200 && status < 300

const unzip = promisify(gunzip)

/** A server compresses what is long. */
const textOf = async ({ headers, body }: Dispatcher.ResponseData): Promise<string> =>
  headers['content-encoding'] === 'gzip' ? `${await unzip(await body.bytes())}` : body.text()

/** Dead connections, sockets, TLS and undici's parser say a code; our deadline is a TimeoutError. */
const isSilence = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  (thrown.name === 'TimeoutError' ||
    (typeof codeOf(thrown) === 'string' && !/INVALID_(ARG|URL)/.test(`${codeOf(thrown)}`)))

const codeOf = (thrown: unknown): string | undefined => (thrown as NodeJS.ErrnoException).code

const neverSent = (thrown: unknown): boolean => {
  const code = codeOf(thrown)
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT'
}

const statusOf = (text: string): Status => {
  try {
    return JSON.parse(text) as Status
  } catch {
    return { message: text.slice(0, 200) }
  }
}
