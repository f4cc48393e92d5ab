import type { IncomingMessage, ServerResponse } from 'node:http'
import { issue } from '../admission/accounts.ts'
import type { Caller } from '../admission/rbac.ts'
import { review } from '../admission/reviews.ts'
import type { Api, Options, PatchType } from '../api/api.ts'
import type { Deletion } from '../api/deletion.ts'
import { evict } from '../api/eviction.ts'
import { patchScale, rescale, scaleOf } from '../api/scale.ts'
import { toStored, toView } from '../objects/event-view.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isMap } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { apiVersionOf, kind } from '../objects/resources.ts'
import { cannotSelect } from '../objects/selectable.ts'
import { filter } from '../objects/selectors.ts'
import { badRequest, internal, invalidOptions, Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { WatchTrouble } from './conditions.ts'
import { noVersion, pageOf } from './pages.ts'
import { sendJson } from './respond.ts'
import { partial, table } from './tables.ts'
import { watch } from './watch.ts'
import { checkOptions } from './write-options.ts'

export type Target = { of: Resource; namespace: string | undefined; name: string | undefined; sub: string | undefined }

type Asked = {
  target: Target
  request: IncomingMessage
  response: ServerResponse
  query: URLSearchParams
  body: Loose
  accept: string
  caller: Caller
  toView?(obj: Obj): Obj
  watch?: WatchTrouble
  /** Throws where the caller may not do this as well. */
  may(verb: string): void
}

type Parts = { store: Store; api: Api; token: string }

/** A request for another view of stored objects, as one for these. */
const stored = (asked: Asked): Asked => {
  const { target, body, request } = asked
  if (request.headers['content-type']?.startsWith('application/json-patch'))
    throw new Refused(415, 'UnsupportedMediaType', 'JSON patches of this view are not served here')
  const query = new URLSearchParams(asked.query)
  const fields = query.get('fieldSelector')
  if (fields) query.set('fieldSelector', fields.replaceAll('regarding.', 'involvedObject.'))
  return { ...asked, target: { ...target, of: kind(target.of.kind) }, query, body: toStored(body), toView }
}

/** What is asked of one object and stored nowhere itself. */
const actions: Record<string, (parts: Parts, target: Target, body: Loose) => Loose> = {
  eviction: ({ store, api }, { namespace, name }, body) => evict(store, api, namespace!, name!, body),
  token: ({ api, token }, { of, namespace, name }, body) => issue(api.get(of, namespace, name!), token, body),
}

/** Answers one request about one resource type, by verb. */
export const answer = (parts: Parts, given: Asked): unknown => {
  const { store, api } = parts
  const asked = given.target.of.view ? stored(given) : given
  const { target, request, response, query, body } = asked
  const { of, namespace, name, sub } = target
  const send = (code: number, obj: Obj) => sendJson(response, code, shaped(asked, [obj], store))
  const isApply = request.method === 'PATCH' && patchType(request) === 'apply'
  checkOptions(request.method ?? '', query, isApply, request.method === 'DELETE' ? body?.dryRun : [])
  const options = optionsOf(asked)
  if (of.review && request.method === 'POST')
    return sendJson(response, 201, review(store, asked.caller, of.kind, namespace, body))
  if (sub && sub in actions && request.method === 'POST')
    return sendJson(response, 201, actions[sub]!(parts, target, body))
  const verb = `${request.method} ${name === undefined ? 'all' : 'one'}`
  if (sub === 'scale') return send(200, scale(api, asked, options))
  switch (verb) {
    case 'GET all':
      return query.get('watch') === 'true' || query.get('watch') === '1' ? follow(store, asked) : list(store, asked)
    case 'GET one':
      return send(200, api.get(of, namespace, name!))
    case 'POST all': {
      checkKind(of, body)
      if (of.namespaced && !namespace) throw badRequest('a namespace is needed to create this')
      return send(201, api.create(of, namespace, body, options))
    }
    case 'PUT one':
      checkKind(of, body)
      return send(200, api.update(of, namespace, name!, body, options, sub))
    case 'PATCH one': {
      const type = patchType(request)
      const isNew = !store.get(of, namespace, name!)
      if (isNew && type === 'apply') asked.may('create')
      return send(isNew ? 201 : 200, api.patch(of, namespace, name!, type, body, options, sub))
    }
    case 'DELETE one': {
      const { object, gone } = api.remove(of, namespace, name!, deletionOf(asked))
      return gone && of.kind !== 'Pod' ? sendJson(response, 200, removed(of, object)) : send(200, object)
    }
    case 'DELETE all': {
      const found = matching(store, asked)
      for (const it of found) api.remove(of, it.metadata.namespace, it.metadata.name, deletionOf(asked))
      return sendJson(response, 200, shaped(asked, found, store, 'list'))
    }
    default:
      throw new Refused(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
  }
}

const optionsOf = ({ query, request, response, caller }: Asked): Options => ({
  caller,
  warn: text => void response.appendHeader('warning', `299 - ${JSON.stringify(text)}`),
  manager: query.get('fieldManager') || (request.headers['user-agent'] ?? 'unknown').split('/')[0]!.slice(0, 128),
  fieldManager: query.get('fieldManager') ?? undefined,
  dryRun: query.getAll('dryRun').includes('All'),
  force: query.get('force') === 'true',
})

const deletionOf = (asked: Asked): Deletion => {
  const { query, body } = asked
  const { caller, warn, dryRun } = optionsOf(asked)
  const given = isMap(body) ? body : {}
  const grace = query.get('gracePeriodSeconds') ?? given.gracePeriodSeconds
  const propagation =
    query.get('propagationPolicy') ?? given.propagationPolicy ?? (given.orphanDependents ? 'Orphan' : undefined)
  const isDry = !!dryRun || !!given.dryRun?.includes('All')
  return {
    dryRun: isDry,
    caller: caller!,
    warn: warn!,
    ...(grace !== undefined && grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(propagation && { propagationPolicy: propagation }),
    ...(given.preconditions && { preconditions: given.preconditions }),
  }
}

/** What a body says of itself must be what is served here; it may say nothing. */
const checkKind = (of: Resource, body: Loose) => {
  if (!isMap(body)) throw badRequest(`the object provided is unrecognized (must be of type ${of.kind})`)
  const { kind: given = of.kind, apiVersion = apiVersionOf(of) } = body
  if (given === of.kind && apiVersion === apiVersionOf(of)) return
  const version = apiVersion.split('/').at(-1)
  const why =
    given === of.kind
      ? `no kind "${given}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`
      : `converting (${version}.${given}) to (${of.group || 'core'}.${of.kind}): unknown conversion`
  throw badRequest(`${given} in version "${version}" cannot be handled as a ${of.kind}: ${why}`)
}

const patchTypes: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

const patchType = (request: IncomingMessage): PatchType => {
  const given = (request.headers['content-type'] ?? '').split(';')[0]!.trim()
  const found = patchTypes[given]
  if (found) return found
  throw new Refused(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

const scale = (api: Api, { target, request, body }: Asked, options: Options): Obj => {
  const { of, namespace, name } = target
  if (request.method === 'GET') return scaleOf(api.get(of, namespace, name!))
  if (request.method === 'PUT') return rescale(api, of, namespace!, name!, options, () => body)
  if (request.method !== 'PATCH') throw new Refused(405, 'MethodNotAllowed', 'scale is read, put or patched')
  return rescale(api, of, namespace!, name!, options, it => patchScale(patchType(request), it, body))
}

const removed = (of: Resource, { metadata }: Obj): Loose => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { name: metadata.name, ...(of.group && { group: of.group }), kind: of.plural, uid: metadata.uid },
})

const filterOf = ({ query, target }: Asked) =>
  filter({
    labels: query.get('labelSelector') ?? undefined,
    fields: query.get('fieldSelector') ?? undefined,
    why: field => cannotSelect(target.of, field),
  })

const matching = (store: Store, asked: Asked): Obj[] =>
  store.sorted(asked.target.of, asked.target.namespace).filter(filterOf(asked))

const list = (store: Store, asked: Asked): void => {
  const { target, query, response } = asked
  const what = { of: target.of, namespace: target.namespace, matches: filterOf(asked) }
  const { items, version, next, remaining } = pageOf(store, what, query)
  const body = shaped(asked, items, store, 'list')
  body.metadata.resourceVersion = String(version)
  if (next) body.metadata.continue = next
  if (remaining !== undefined) body.metadata.remainingItemCount = remaining
  sendJson(response, 200, body)
}

const follow = (store: Store, asked: Asked): void => {
  const { target, query, response } = asked
  const version = query.get('resourceVersion')
  const isInitial = query.get('sendInitialEvents') === 'true'
  if (version && !/^\d+$/.test(version)) throw internal(noVersion(version))
  const match = query.get('resourceVersionMatch')
  const wrong = (message: string) => invalidOptions([{ field: 'resourceVersionMatch', message }])
  if (isInitial && match !== 'NotOlderThan')
    throw wrong('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (!query.has('sendInitialEvents') && match)
    throw wrong('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  watch(store, target.of, response, {
    namespace: target.namespace,
    matches: filterOf(asked),
    since: version ? Number(version) : undefined,
    bookmarks: query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1',
    initial: isInitial,
    seconds: Number(query.get('timeoutSeconds') ?? 0) || 1800 + Math.random() * 1800,
    shape: objects => shaped(asked, objects, store),
    ...(asked.watch && { trouble: asked.watch }),
  })
}

/** The object or list in the form that was asked for: itself, a Table, or metadata alone. */
const shaped = (asked: Asked, found: Obj[], store: Store, form?: 'list'): Loose => {
  const { target, accept, query, toView: seen } = asked
  const { of, sub } = target
  const objects = seen ? found.map(seen) : found
  const version = form ? String(store.version) : (objects[0]?.metadata.resourceVersion ?? '')
  const first = accept.split(',')[0] ?? ''
  if (first.includes('as=Table') && sub !== 'scale')
    return table(of, objects, { version, include: query.get('includeObject') ?? 'Metadata' })
  if (first.includes('as=PartialObjectMetadata')) {
    if (!form) return partial(objects[0]!)
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: version },
      items: objects.map(partial),
    }
  }
  if (!form) return objects[0]
  // Items of a list carry no kind, as from a real server.
  const items = objects.map(({ apiVersion: _a, kind: _k, ...rest }) => rest)
  const apiVersion = seen ? 'events.k8s.io/v1' : apiVersionOf(of)
  return { kind: `${of.kind}List`, apiVersion, metadata: { resourceVersion: version }, items }
}
