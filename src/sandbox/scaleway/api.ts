import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clusters, Machines } from '../ports.ts'
import { type Answer, invalid, Refusal, unauthenticated } from './answer.ts'
import type { Cloud, Credentials } from './cloud.ts'
import type { Body } from './fields.ts'
import { reconcile } from './reconcile.ts'
import { emptyState, type ScalewayState } from './records.ts'
import { type Ask, createRouter, type Match } from './router.ts'
import { routesOf } from './routes.ts'
import { createTransitions } from './transitions.ts'
import { readBody, send } from './wire.ts'

export type { Credentials, ScalewayState }

export type ScalewayOptions = {
  machines: Machines
  clusters: Clusters
  credentials: Credentials
  /** Real durations are multiplied by it. */
  clock?: { scale: number }
  saved?: ScalewayState
  /** After every change of the state: time to save it. */
  onChange?(): void
  say?(what: string): void
}

export type Scaleway = {
  handle(request: IncomingMessage, response: ServerResponse): void
  state(): ScalewayState
  reconcile(): Promise<void>
  close(): Promise<void>
}

/** The Scaleway API of one project, in memory, with the world behind it given as ports. */
export const createScaleway = (options: ScalewayOptions): Scaleway => {
  const { machines, clusters, credentials, clock = { scale: 0.05 }, saved, onChange = () => {} } = options
  const say = options.say ?? (what => console.error(`scaleway: ${what}`))
  const state = saved ? { ...emptyState(), ...structuredClone(saved) } : emptyState()
  const transitions = createTransitions({ state, scale: clock.scale, onChange, say })
  const cloud: Cloud = { state, credentials, machines, clusters, transitions }
  const find = createRouter(routesOf(cloud))
  const calls: Record<string, number> = {}

  /** The one place every request passes: where faults are to be injected, before and after its effect. */
  const answer = async (request: IncomingMessage, url: URL): Promise<Answer> => {
    const found = find(request.method!, url.pathname)
    const template = found && found !== 'method' ? found.route.template : url.pathname
    calls[`${request.method} ${template}`] = (calls[`${request.method} ${template}`] ?? 0) + 1
    const raw = await readBody(request)
    authenticate(request, credentials)
    if (found === 'method') return { status: 405, body: { message: 'method not allowed' } }
    if (!found) return { status: 404, body: { type: 'unknown_resource', message: 'unknown resource' } }
    return found.route.run(ask(found, url, raw))
  }

  const serve = async (request: IncomingMessage): Promise<Answer> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'GET' && url.pathname === '/emulator/calls') return { status: 200, body: calls }
    try {
      return await answer(request, url)
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown.answer
      say(`${request.method} ${url.pathname}: ${thrown instanceof Error ? thrown.stack : thrown}`)
      return { status: 500, body: { type: 'internal', message: 'internal error' } }
    } finally {
      if (request.method !== 'GET') onChange()
    }
  }

  return {
    handle(request, response) {
      const spaced = request.url?.startsWith('/instance/') ?? false
      // A client that hung up in the middle of its body gets nothing, and asked for nothing.
      serve(request).then(
        it => send(response, it, spaced),
        () => response.destroy(),
      )
    },
    state: () => structuredClone(state),
    reconcile: () => reconcile(cloud, say),
    close: () => transitions.close(),
  }
}

const authenticate = (request: IncomingMessage, { secretKey }: Credentials) => {
  const token = request.headers['x-auth-token']
  if (!token) throw unauthenticated('invalid_argument')
  if (token !== secretKey) throw unauthenticated('not_found')
}

const ask = ({ params }: Match, url: URL, raw: string): Ask => ({
  params,
  place: params.zone ?? params.region ?? '',
  query: url.searchParams,
  raw,
  body: url.pathname.includes('/user_data/') ? {} : parse(raw),
})

const parse = (raw: string): Body => {
  if (!raw.trim()) return {}
  try {
    const value: unknown = JSON.parse(raw)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body
  } catch {
    // falls through to the same refusal
  }
  throw invalid({ argument_name: 'body', reason: 'format', help_message: 'must be a JSON object' })
}
