import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clusters, Machines } from '../ports.ts'
import { addProject } from './account.ts'
import { type Answer, unauthenticated } from './answer.ts'
import type { Cloud, Credentials } from './cloud.ts'
import type { Conditions } from './conditions.ts'
import { control } from './control.ts'
import { createFront } from './front.ts'
import { createHistory } from './history.ts'
import { createPast } from './past.ts'
import { refuseOverQuota } from './quotas.ts'
import { reconcile } from './reconcile.ts'
import type { ScalewayState } from './records.ts'
import { type Ask, createRouter, type Match } from './router.ts'
import { routesOf } from './routes.ts'
import { loadState } from './saved.ts'
import { kindOf } from './states.ts'
import { createTrace, type Traced } from './trace.ts'
import { type Clock, createTransitions } from './transitions.ts'
import { createWeather, type Weather } from './weather.ts'
import { parseBody } from './wire.ts'

export type { Conditions, Credentials, ScalewayState, Traced }

export type ScalewayOptions = {
  machines: Machines
  clusters: Clusters
  credentials: Credentials
  clock?: Clock
  saved?: ScalewayState
  /** After every change of the state: time to save it. */
  onChange?(): void
  say?(what: string): void
  /** Answers as the API did on that day, year-month-day. */
  asOf?: string
}

export type Scaleway = {
  handle(request: IncomingMessage, response: ServerResponse): void
  state(): ScalewayState
  /** What goes wrong, as `PUT /emulator/conditions` takes it. */
  conditions: Pick<Weather, 'get' | 'set' | 'clear'>
  /** The last calls, as `GET /emulator/trace` tells them. */
  trace: { calls(): Traced[]; clear(): void }
  /** Makes a project known, as `PUT /emulator/projects/<uuid>` does. */
  addProject(id: string, name?: string): void
  reconcile(): Promise<void>
  close(): Promise<void>
}

/** The Scaleway API of one organization and one key, in memory, with the world behind it given as ports. */
export const createScaleway = (options: ScalewayOptions): Scaleway => {
  const { machines, clusters, credentials, clock = { scale: 0.05 }, saved, onChange = () => {} } = options
  const say = options.say ?? (what => console.error(`scaleway: ${what}`))
  const state = loadState(saved, credentials.projectId)
  const history = createHistory(state)
  const weather = createWeather(({ staleMs = 0, lagMs = 0 }) => history.keep(Math.max(staleMs, lagMs)))
  const changed = () => {
    history.changed()
    onChange()
  }
  const strand = (kind: string) => weather.stuck(kindOf(kind))
  const transitions = createTransitions({ state, clock, strand, onChange: changed, say })
  const cloud: Cloud = { state, credentials, machines, clusters, transitions, asOf: options.asOf }
  const find = createRouter(routesOf(cloud))
  const reader = createPast(cloud, history)
  const trace = createTrace()
  const templateOf = (method: string, path: string) => {
    const found = find(method, path)
    return found && found !== 'method' ? found.route.template : path
  }
  const door = control({ state, weather, trace })

  const answer = async (request: IncomingMessage, url: URL, raw: string): Promise<Answer> => {
    const [method, path] = [request.method!, url.pathname]
    const found = find(method, path)
    authenticate(request, credentials)
    if (found === 'method') return { status: 405, body: { message: 'method not allowed' } }
    if (!found) return { status: 404, body: { type: 'unknown_resource', message: 'unknown resource' } }
    const asked = ask(found, url, raw)
    const { quotas, ...conditions } = weather.now()
    if (quotas) refuseOverQuota(quotas, state, { method, path, type: asked.body.commercial_type })
    return reader(found.route, path, conditions)(asked)
  }

  return {
    handle: createFront({ weather, trace, door, templateOf, answer, changed, say }),
    state: () => structuredClone(state),
    conditions: { get: weather.get, set: weather.set, clear: weather.clear },
    trace: { calls: trace.calls, clear: trace.clear },
    addProject(id, name) {
      addProject(cloud, id, name)
      changed()
    },
    reconcile: () => reconcile(cloud, say),
    async close() {
      history.keep(0)
      await transitions.close()
    },
  }
}

const authenticate = (request: IncomingMessage, { secretKey }: Credentials) => {
  const token = request.headers['x-auth-token']
  if (!token) throw unauthenticated('invalid_argument')
  if (token !== secretKey) throw unauthenticated('not_found')
}

const ask = ({ params }: Match, url: URL, raw: string): Ask => ({
  params,
  path: url.pathname,
  place: params.zone ?? params.region ?? '',
  query: url.searchParams,
  raw,
  body: url.pathname.includes('/user_data/') ? {} : parseBody(raw),
})
