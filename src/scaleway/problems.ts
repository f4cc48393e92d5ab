import { Problem } from '../engine/problem.ts'
import { type Parts, refusal, tries } from './answers.ts'
import type { Note } from './http.ts'
import { codeOf } from './repeat.ts'
import { routeOf } from './route.ts'

type Told = { note?: Note | undefined; clean?: ((text: string) => string) | undefined }

/** Turns what the SDK throws into what an operator can act on; the original stays as `cause`. Never a secret. */
export const toProblem = (error: unknown, request: Request, { note, clean = it => it }: Told = {}): unknown => {
  if (error instanceof Problem || isAbort(error)) return error
  const { pathname, origin } = new URL(request.url)
  const status = statusOf(error)
  const parts =
    status === undefined ? network(error, origin, note) : refusal(status, bodyOf(error), routeOf(request.url), note)
  if (!parts) return error
  const id = note?.requestId ? ` (request id ${note.requestId})` : ''
  return new Problem(`Scaleway: ${request.method} ${pathname} ${parts.what}`, {
    why: clean(parts.why) + id,
    next: clean(parts.next),
    cause: error,
  })
}

const network = (error: unknown, origin: string, note?: Note): Parts | null => {
  if (!isSilence(error)) return null // a bug keeps its stack
  const code = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  return {
    what: 'got no answer',
    why: `${origin}: ${code ?? text}${tries(note)}`,
    next: 'check the network, the proxy settings and SCW_API_URL, then run the same command again',
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

/** The SDK's error inside a Problem, however deep, or the error itself. */
const original = (error: unknown): unknown => {
  let it = error
  while (it instanceof Problem && it.cause !== undefined) it = it.cause
  return it
}

export const statusOf = (error: unknown): number | undefined => {
  const { status } = (original(error) ?? {}) as { status?: unknown }
  return typeof status === 'number' ? status : undefined
}

export const bodyOf = (error: unknown): Record<string, unknown> => {
  const { body } = (original(error) ?? {}) as { body?: unknown }
  if (typeof body === 'string') return { message: body.slice(0, 200) }
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

/** The thing is busy: wait until it settles, then ask again. */
export const isTransient = (error: unknown): boolean =>
  statusOf(error) === 409 && bodyOf(error).type === 'transient_state'

/** Something still uses it, and may be on its way out. */
export const isInUse = (error: unknown): boolean => statusOf(error) === 412 || statusOf(error) === 409

/** It may have taken effect: the connection died, or the API stumbled. */
export const isDoubtful = (error: unknown): boolean => {
  const status = statusOf(error)
  if (status !== undefined) return status >= 500 && bodyOf(error).type !== 'out_of_stock'
  return isSilence(original(error))
}

/** No answer came. A TypeError may also be a bug, and so may Node's own ERR_ codes. */
const isSilence = (error: unknown): boolean => {
  const code = codeOf(error)
  if (code !== undefined) return !code.startsWith('ERR_')
  return error instanceof TypeError && /fetch failed|terminated|network|socket/i.test(error.message)
}

/** It says nothing about the thing that was asked for: looking again later is right. */
export const isPassing = (error: unknown): boolean => statusOf(error) === 429 || isDoubtful(error)

/** A thing that is not there is an answer, not an error. */
export const orNull = async <T>(asked: Promise<T>): Promise<T | null> => {
  try {
    return await asked
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}
