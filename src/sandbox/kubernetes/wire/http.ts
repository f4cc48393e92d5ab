import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { parse } from 'yaml'
import type { Pods } from '../../ports.ts'
import type { Api } from '../api/api.ts'
import type { Loose } from '../objects/object.ts'
import { kind, resourceAt } from '../objects/resources.ts'
import { badRequest, Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import { authenticate, authorize } from './callers.ts'
import type { WatchTrouble } from './conditions.ts'
import { discovery, openapi } from './discovery.ts'
import type { Door } from './door.ts'
import { openDoor } from './door.ts'
import { decodeProtobuf } from './protobuf.ts'
import type { Target } from './requests.ts'
import { answer } from './requests.ts'
import { sendJson } from './respond.ts'
import { refuseUpgrade, sendLogs, serveExec } from './streams.ts'
import { cutOff, suffer } from './suffer.ts'
import type { Call } from './weather.ts'

export type ServerParts = Door & { store: Store; api: Api; pods: Pods; token: string; version: string }

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
    exec(parts, request, socket, head).catch((thrown: unknown) =>
      refuseUpgrade(socket, thrown instanceof Refused ? thrown : new Refused(500, 'InternalError', String(thrown))),
    )
  },
})

const exec = async (parts: ServerParts, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
  const caller = authenticate(parts, request)
  const url = new URL(request.url ?? '/', 'http://api')
  const target = locate(url.pathname)
  if (target?.of.kind !== 'Pod' || target.sub !== 'exec') throw badRequest('only exec is served over a websocket')
  authorize(parts, caller, target, 'create')
  const act = async (heard: boolean) => {
    const pod = parts.api.get(kind('Pod'), target.namespace, target.name!)
    if (heard) serveExec(parts.pods, pod, url.searchParams, request, socket, head)
  }
  await suffer(parts.weather, callOf(target, 'create'), { act, cut: () => socket.destroy() })
}

const callOf = ({ of, sub, namespace, name }: Target, verb: string): Call => ({
  verb,
  resource: sub ? `${of.plural}/${sub}` : of.plural,
  namespace,
  name,
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
  if (path.startsWith('/emulator/'))
    return sendJson(response, 200, openDoor(parts, { request, response, path, caller, body: await readBody(request) }))
  const target = locate(path)
  if (!target && !path.startsWith('/api/') && !discovery(groupOf(path), ''))
    return response.writeHead(404, PLAIN).end('404 page not found\n')
  if (!target) throw new Refused(404, 'NotFound', 'the server could not find the requested resource', {})
  if (!methods(target).includes(request.method ?? ''))
    throw new Refused(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
  const verb = verbOf(request, target, url.searchParams)
  authorize(parts, caller, target, verb)
  const body = await readBody(request)
  const query = url.searchParams
  const call = callOf(target, verb)
  const act = async (heard: boolean, { watch }: { watch?: WatchTrouble }): Promise<unknown> => {
    if (target.sub === 'log') {
      const pod = parts.api.get(target.of, target.namespace, target.name!)
      return heard ? sendLogs(parts.pods, pod, query, response) : undefined
    }
    const may = (more: string) => authorize(parts, caller, target, more)
    const voice = heard ? response : new ServerResponse(request)
    return answer(parts, {
      target,
      request,
      response: voice,
      query,
      body,
      accept,
      caller,
      may,
      ...(watch && { watch }),
    })
  }
  // A body that is created says its name itself.
  const named = { ...call, name: call.name ?? body?.metadata?.name }
  await suffer(parts.weather, named, { act, cut: () => cutOff(response) })
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

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' }

const methods = ({ of, name, sub }: Target): string[] => {
  if (name === undefined) return of.review ? ['POST'] : ['GET', 'POST', 'DELETE']
  return sub ? ['GET', 'PUT', 'PATCH', 'POST'] : ['GET', 'PUT', 'PATCH', 'DELETE']
}

/** `/apis/apps/v1` of a path below it. */
const groupOf = (path: string): string => {
  const parts = path.split('/')
  return parts.slice(0, 4).join('/')
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
  if (type.startsWith('text/'))
    throw new Refused(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    )
  try {
    return type.includes('yaml') ? parse(bytes.toString()) : JSON.parse(bytes.toString())
  } catch (error) {
    const why = /end of JSON input|Expected property name/.test(String(error))
      ? 'unexpected end of JSON input'
      : String(error)
    if (request.method === 'PATCH') throw badRequest(`error decoding patch: ${why}`)
    throw badRequest(`the object provided is unrecognized: couldn't get version/kind; json parse error: ${why}`)
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
