import { Problem } from '../engine/problem.ts'
import { codeOf } from './http.ts'

/** What the permission sets of a key must be called for the part of the API that said no. */
const permissionSets: Record<string, string> = {
  vpc: 'VPCFullAccess and PrivateNetworksFullAccess',
  'vpc-gw': 'VPCGatewayFullAccess',
  ipam: 'IPAMFullAccess',
  instance: 'InstancesFullAccess',
  block: 'BlockStorageFullAccess',
  k8s: 'KubernetesFullAccess',
  iam: 'SSHKeysFullAccess',
}

/** Turns what the SDK throws into what an operator can act on; the original stays as `cause`. Never a secret. */
export const toProblem = (error: unknown, request: Request, secrets: string[]): unknown => {
  if (error instanceof Problem || isAbort(error)) return error
  const { pathname, origin } = new URL(request.url)
  const what = `Scaleway: ${request.method} ${pathname}`
  const status = statusOf(error)
  const parts = status === undefined ? network(error, origin) : answered(status, bodyOf(error), pathname)
  if (!parts) return error
  const mask = (text: string) => secrets.reduce((masked, it) => (it ? masked.replaceAll(it, '***') : masked), text)
  return new Problem(`${what} ${parts.what}`, { why: mask(parts.why), next: mask(parts.next), cause: error })
}

type Parts = { what: string; why: string; next: string }

const network = (error: unknown, origin: string): Parts | null => {
  const code = codeOf(error)
  if (!(error instanceof TypeError) && code === undefined) return null // a bug keeps its stack
  const text = error instanceof Error ? error.message : String(error)
  return {
    what: 'got no answer',
    why: `${origin}: ${code ?? text}`,
    next: 'check the network, the proxy settings and SCW_API_URL, then run the same command again',
  }
}

const answered = (status: number, body: Record<string, unknown>, path: string): Parts => {
  const said = `${status} ${[body.type, body.message].filter(it => typeof it === 'string').join(': ')}`.trim()
  const details = Array.isArray(body.details) ? (body.details as Record<string, unknown>[]) : []
  const api = path.split('/')[1] ?? ''
  if (status === 401)
    return {
      what: 'was refused: the API key is not accepted',
      why: `${said}${body.reason ? ` (${body.reason})` : ''}`,
      next: 'check SCW_ACCESS_KEY and SCW_SECRET_KEY, or the profile, and whether the key has expired',
    }
  if (body.type === 'quotas_exceeded')
    return {
      what: 'was refused: a quota is used up',
      why: details.map(it => `${it.resource}: ${it.current} of ${it.quota}`).join(', ') || said,
      next: 'delete what is no longer needed, or ask Scaleway for a higher quota, then run the same command again',
    }
  if (status === 403)
    return {
      what: 'was refused: the API key may not do this',
      why: [said, details.map(it => `${it.action} ${it.resource}`).join(', ')].filter(Boolean).join('; '),
      next: `give the key's owner ${permissionSets[api] ?? 'the permission'} on this project; a new policy takes up to two minutes`,
    }
  if (body.type === 'out_of_stock')
    return {
      what: 'was refused: out of stock',
      why: said,
      next: 'choose another type or zone in the inventory, or try again later',
    }
  if (status === 400)
    return {
      what: 'was refused: an argument is not accepted',
      why: details.map(it => `${it.argument_name}: ${it.reason} ${it.help_message ?? ''}`.trim()).join(', ') || said,
      next: 'correct the value in the inventory, then run the same command again',
    }
  if (status === 429)
    return {
      what: 'was refused: too many requests',
      why: 'the rate limit stayed shut for several tries',
      next: 'wait a minute, then run the same command again',
    }
  const help = typeof body.help_message === 'string' ? ` (${body.help_message})` : ''
  return {
    what: `answered ${status}`,
    why: `${said}${help}${typeof body.precondition === 'string' ? ` [${body.precondition}]` : ''}`,
    next: 'run the same command again; if it stays, look at the resource in the Scaleway console',
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

/** The SDK's error inside a Problem, or the error itself. */
const original = (error: unknown): unknown => (error instanceof Problem ? error.cause : error)

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
  return original(error) instanceof TypeError || codeOf(original(error)) !== undefined
}

/** A thing that is not there is an answer, not an error. */
export const orNull = async <T>(asked: Promise<T>): Promise<T | null> => {
  try {
    return await asked
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}
