import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { parse } from 'yaml'
import type { Pods } from '../ports.ts'
import { accountOf } from './accounts.ts'
import type { Api } from './api.ts'
import { discovery, openapi } from './discovery.ts'
import type { Loose } from './object.ts'
import { decodeProtobuf } from './protobuf.ts'
import type { Attempt, Caller } from './rbac.ts'
import { admin, mayDo, refusal, serviceAccount } from './rbac.ts'
import type { Target } from './requests.ts'
import { answer } from './requests.ts'
import { kind, resourceAt } from './resources.ts'
import { sendJson } from './respond.ts'
import { badRequest, forbidden, Refused } from './status.ts'
import type { Store } from './store.ts'
import { refuseUpgrade, sendLogs, serveExec } from './streams.ts'

export type ServerParts = { store: Store; api: Api; pods: Pods; token: string; version: string }

/** The API as handlers of Node's HTTP servers: one for TLS, one for the socket, the same answers. */
export const createHandlers = (parts: ServerParts) => ({
  request(request: IncomingMessage, response: ServerResponse): void {
    handle(parts, request, response).catch((thrown: unknown) => {
      if (response.headersSent) return void response.destroy()
      const [code, body] = failure(thrown)
      const { retryAfterSeconds } = body.details ?? {}
      sendJson(response, code, body, retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {})
    })
  },
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    try {
      const caller = authenticate(parts, request)
      const url = new URL(request.url ?? '/', 'http://api')
      const target = locate(url.pathname)
      if (target?.of.kind !== 'Pod' || target.sub !== 'exec') throw badRequest('only exec is served over a websocket')
      authorize(parts, caller, target, 'create')
      const pod = parts.api.get(kind('Pod'), target.namespace, target.name!)
      serveExec(parts.pods, pod, url.searchParams, request, socket, head)
    } catch (thrown) {
      refuseUpgrade(socket, thrown instanceof Refused ? thrown : new Refused(500, 'InternalError', String(thrown)))
    }
  },
})

const failure = (thrown: unknown): [number, Loose] => {
  if (thrown instanceof Refused) return [thrown.code, thrown.body]
  console.error('emulated Kubernetes:', thrown)
  const refused = new Refused(
    500,
    'InternalError',
    `Internal error occurred: ${thrown instanceof Error ? thrown.message : thrown}`,
  )
  return [500, refused.body]
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Who asks, or whom the admin lets it speak for (`kubectl --as`); throws 401 where that is nobody. */
const authenticate = (parts: ServerParts, request: IncomingMessage): Caller => {
  const { store, token } = parts
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const caller = timingSafeEqual(digest(given), digest(token)) ? admin : accountOf(store, given, token)
  if (!caller) throw new Refused(401, 'Unauthorized', 'Unauthorized')
  const user = request.headers['impersonate-user']
  if (typeof user !== 'string') return caller
  const may = mayDo(store, caller, { verb: 'impersonate', resource: 'users', name: user })
  if (!may.allowed) {
    const why = refusal(caller, { verb: 'impersonate', resource: 'users' })
    throw new Refused(403, 'Forbidden', `users "${user}" is forbidden: ${why}`, { name: user, kind: 'users' })
  }
  const [, , namespace, name] = user.startsWith('system:serviceaccount:') ? user.split(':') : []
  if (namespace && name) return serviceAccount(namespace, name)
  const groups = [request.headersDistinct['impersonate-group'] ?? []].flat()
  return { user, groups: [...groups, 'system:authenticated'] }
}

/** Throws 403 where the caller has no role for it. */
const authorize = ({ store }: ServerParts, caller: Caller, target: Target, verb: string): void => {
  const { of, namespace, name, sub } = target
  const attempt: Attempt = { verb, group: of.group, resource: of.plural, sub, namespace, name }
  if (!mayDo(store, caller, attempt).allowed) throw forbidden(of, name ?? '', refusal(caller, attempt))
}

const verbOf = ({ method }: IncomingMessage, { name }: Target, query: URLSearchParams): string => {
  if (method === 'GET')
    return name !== undefined ? 'get' : /^(true|1)$/.test(query.get('watch') ?? '') ? 'watch' : 'list'
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' }
  return verbs[method ?? ''] ?? (name === undefined ? 'deletecollection' : 'delete')
}

const handle = async (parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
  const url = new URL(request.url ?? '/', 'http://api')
  const path = url.pathname.replace(/\/+$/, '') || '/'
  if (['/healthz', '/livez', '/readyz'].includes(path)) return response.writeHead(200).end('ok')
  const caller = authenticate(parts, request)
  const accept = request.headers.accept ?? ''
  const fixed = path === '/version' ? versionInfo(parts.version) : (discovery(path, accept) ?? openapi(path))
  if (fixed && request.method === 'GET') return sendFixed(response, fixed, accept)
  const target = locate(path)
  if (!target) throw new Refused(404, 'NotFound', 'the server could not find the requested resource')
  authorize(parts, caller, target, verbOf(request, target, url.searchParams))
  const body = await readBody(request)
  if (target.sub === 'log') {
    return sendLogs(parts.pods, parts.api.get(target.of, target.namespace, target.name!), url.searchParams, response)
  }
  const may = (verb: string) => authorize(parts, caller, target, verb)
  return answer(parts, { target, request, response, query: url.searchParams, body, accept, caller, may })
}

const sendFixed = (response: ServerResponse, body: Loose, accept: string): unknown => {
  if (body.kind !== 'APIGroupDiscoveryList') return sendJson(response, 200, body)
  // kubectl tells the two sorts of discovery apart by this header alone.
  const version = accept.includes('v=v2;') ? 'v2' : 'v2beta1'
  const text = JSON.stringify(body)
  response.writeHead(200, {
    'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  })
  return response.end(text)
}

/** `/api/v1/...` and `/apis/GROUP/VERSION/...`; undefined where nothing is served. */
export const locate = (path: string): Target | undefined => {
  const parts = path.split('/').slice(1).map(decodeURIComponent)
  const apiVersion = parts[0] === 'api' ? parts[1] : parts[0] === 'apis' ? `${parts[1]}/${parts[2]}` : undefined
  if (!apiVersion) return undefined
  let rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  let namespace: string | undefined
  if (
    rest[0] === 'namespaces' &&
    rest.length > 2 &&
    !(rest.length === 3 && ['status', 'finalize'].includes(rest[2]!))
  ) {
    namespace = rest[1]
    rest = rest.slice(2)
  }
  const [plural, name, sub, ...more] = rest
  const of = plural ? resourceAt(apiVersion, plural) : undefined
  if (!of || more.length > 0 || (sub && !of.sub.includes(sub))) return undefined
  if (of.namespaced ? name && namespace === undefined : namespace !== undefined) return undefined
  return { of, namespace, name, sub }
}

const readBody = async (request: IncomingMessage): Promise<Loose> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > 3 * 1024 * 1024)
      throw new Refused(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728')
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (bytes.length === 0) return undefined
  const type = request.headers['content-type'] ?? ''
  if (type.includes('protobuf')) return decodeProtobuf(bytes)
  try {
    return type.includes('yaml') ? parse(bytes.toString()) : JSON.parse(bytes.toString())
  } catch (error) {
    throw badRequest(`the body is not valid ${type || 'JSON'}: ${error instanceof Error ? error.message : error}`)
  }
}

const versionInfo = (version: string): Loose => {
  const [major, minor] = version.replace(/^v/, '').split('.')
  const gitVersion = `v${version.replace(/^v/, '')}${version.split('.').length < 3 ? '.0' : ''}`
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: 'linux/amd64',
  }
}
