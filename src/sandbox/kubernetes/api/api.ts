import { randomBytes } from 'node:crypto'
import type { Caller } from '../admission/rbac.ts'
import { validate } from '../admission/validate.ts'
import { complete } from '../objects/defaults.ts'
import { keepMeta } from '../objects/keep-meta.ts'
import { applyConfiguration, trackUpdate } from '../objects/managed.ts'
import { bad } from '../objects/mistakes.ts'
import type { Loose, ManagedEntry, Obj } from '../objects/object.ts'
import { clone, isMap, same } from '../objects/object.ts'
import { jsonPatch, mergePatch, strategicPatch } from '../objects/patch.ts'
import type { Resource } from '../objects/resources.ts'
import { apiVersionOf, kind } from '../objects/resources.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  internal,
  invalid,
  notFound,
  stale,
} from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import { type Deletion, isFinished, lastSeen, marked, refuseDeletion } from './deletion.ts'

export type Options = {
  /** The field manager. */
  manager: string
  /** The same where the request names one itself. */
  fieldManager?: string | undefined
  dryRun?: boolean
  force?: boolean
  /** Who asks; absent: one of our own controllers. */
  caller?: Caller
  /** Hears what is told beside the answer. */
  warn?(text: string): void
  /** Our own controllers: may set the status on create and change a pod's spec. */
  internal?: boolean
}
export type Api = ReturnType<typeof createApi>
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'
/** Finishes an object before it is stored, e.g. gives a Service its address. Changes it. */
export type Admit = (of: Resource, obj: Obj, before: Obj | undefined, dryRun: boolean) => void

/** Refuses a write that is otherwise right, by throwing: `after` is absent for a deletion, `before` for a creation. */
export type Police = (
  of: Resource,
  after: Obj | undefined,
  before: Obj | undefined,
  options: Options,
  sub?: string,
) => void
type Hooks = { admit?: Admit; police?: Police }

/** The verbs that write, with the rules that every write obeys. Everything here is synchronous: no write is torn. */
export const createApi = (store: Store, { admit = () => {}, police = () => {} }: Hooks = {}) => {
  const get = (of: Resource, namespace: string | undefined, name: string): Obj => {
    const found = store.get(of, namespace, name)
    if (!found) throw notFound(of, name)
    return found
  }

  const save = (of: Resource, before: Obj | undefined, draft: Obj, options: Options, parts: Parts = {}): Obj => {
    const { sub, entries } = parts
    const split = of.sub.includes('status')
    const given = draft.metadata.managedFields
    let after = complete({ ...draft, apiVersion: apiVersionOf(of), kind: of.kind })
    if (split && before && sub !== 'status') after.status = before.status
    if (split && sub === 'status') after = { ...clone(before!), status: after.status }
    if (of.kind === 'Pod' && before && !options.internal) after = withDebuggers(after, before, sub)
    after.metadata = keepMeta(after, before, of)
    admit(of, after, before, !!options.dryRun)
    if (!options.internal) validate(of, after, before)
    const who = { manager: options.manager, apiVersion: apiVersionOf(of), subresource: sub }
    const base = options.internal && before ? before.metadata.managedFields : (given ?? before?.metadata.managedFields)
    after.metadata.managedFields = entries ?? trackUpdate(base, before ?? null, after, who)
    if (after.metadata.managedFields.length === 0) delete after.metadata.managedFields
    police(of, after, before, options, sub)
    if (before && same(after, before)) return before
    if (options.dryRun) return before ? after : withoutVersion(after)
    if (isFinished(of, after)) return store.remove(of, store.put(of, after))
    return store.put(of, after)
  }

  const api = {
    get,
    list: (of: Resource, namespace?: string) => store.list(of, namespace),

    create(of: Resource, namespace: string | undefined, body: Obj, options: Options, entries?: ManagedEntry[]): Obj {
      const draft = clone(body)
      draft.metadata = { ...draft.metadata }
      draft.metadata.name ||= draft.metadata.generateName ? draft.metadata.generateName + suffix() : ''
      if (of.namespaced) {
        if (draft.metadata.namespace && draft.metadata.namespace !== namespace) {
          throw elsewhere()
        }
        draft.metadata.namespace = namespace!
        const home = get(kind('Namespace'), undefined, namespace!)
        if (home.metadata.deletionTimestamp) {
          const why = `unable to create new content in namespace ${namespace} because it is being terminated`
          throw terminating(of, draft.metadata.name, why, namespace!)
        }
      } else delete draft.metadata.namespace
      if (draft.metadata.resourceVersion) throw internal('resourceVersion should not be set on objects to be created')
      if (store.get(of, namespace, draft.metadata.name)) throw alreadyExists(of, draft.metadata.name)
      if (of.sub.includes('status') && !options.internal) delete draft.status
      return save(of, undefined, draft, options, entries ? { entries } : {})
    },

    update(of: Resource, namespace: string | undefined, name: string, body: Obj, options: Options, sub?: string): Obj {
      const before = get(of, namespace, name)
      const { metadata = {} as Obj['metadata'] } = body
      if (metadata.name && metadata.name !== name) throw otherName(metadata.name, name)
      if (metadata.namespace && metadata.namespace !== namespace) throw elsewhere()
      if (metadata.resourceVersion && metadata.resourceVersion !== before.metadata.resourceVersion)
        throw stale(of, name)
      if (metadata.uid && metadata.uid !== before.metadata.uid) {
        const key = ['/registry', of.plural, ...(namespace ? [namespace] : []), name].join('/')
        const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${before.metadata.uid}`
        const text = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`
        throw conflict(of, name, text)
      }
      return save(of, before, body, options, sub ? { sub } : {})
    },

    patch(
      of: Resource,
      namespace: string | undefined,
      name: string,
      type: PatchType,
      body: Loose,
      options: Options,
      sub?: string,
    ): Obj {
      if (type === 'apply') return api.apply(of, namespace, name, body, options, sub)
      const before = get(of, namespace, name)
      const after = patched(type, before, body)
      if (!isMap(after) || !isMap(after.metadata)) throw badRequest('the patch leaves no object')
      return api.update(of, namespace, name, after as Obj, options, sub)
    },

    /** Server-side apply; creates what is not there. */
    apply(of: Resource, namespace: string | undefined, name: string, body: Obj, options: Options, sub?: string): Obj {
      const { apiVersion = '/', kind: given = '' } = isMap(body) ? body : {}
      if (given !== of.kind || apiVersion !== apiVersionOf(of))
        throw badRequest(
          `invalid object type: ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${given}`,
        )
      if (body.metadata?.managedFields?.length) throw badRequest('metadata.managedFields must be nil')
      if (body.metadata?.name && body.metadata.name !== name) throw otherName(body.metadata.name, name)
      const live = store.get(of, namespace, name)
      const { resourceVersion: version, uid } = body.metadata ?? {}
      if (!live && uid)
        throw conflict(
          of,
          name,
          `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
        )
      if (live && uid && uid !== live.metadata.uid)
        throw invalid(of, name, [bad('metadata.uid', uid, 'field is immutable')])
      if (live && version && version !== live.metadata.resourceVersion) throw stale(of, name)
      if (!live && sub) throw notFound(of, name)
      if (!live && !body.metadata?.name)
        throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
      const applied: Obj = clone({ ...body, metadata: { ...body.metadata, name, ...(of.namespaced && { namespace }) } })
      if (of.sub.includes('status') && sub !== 'status') delete applied.status
      const who = { manager: options.manager, apiVersion: apiVersionOf(of), subresource: sub }
      const { merged, entries } = applyConfiguration(live ?? null, applied, who, !!options.force)
      if (!live) merged.metadata.resourceVersion = ''
      return live
        ? save(of, live, merged, options, { entries, ...(sub && { sub }) })
        : api.create(of, namespace, merged, options, entries)
    },

    /** For controllers: changes what is stored now; nothing when it is gone or another object by that name. */
    modify(of: Resource, obj: Obj, change: (draft: Obj) => void, manager: string, sub?: string): Obj | undefined {
      const before = store.get(of, obj.metadata.namespace, obj.metadata.name)
      if (!before || before.metadata.uid !== obj.metadata.uid) return undefined
      const draft = clone(before)
      change(draft)
      if (same(draft, before)) return before
      return save(of, before, draft, { manager, internal: true }, sub ? { sub } : {})
    },

    /** Marks or removes. Answers the object as it is then, and whether it is gone. */
    remove(
      of: Resource,
      namespace: string | undefined,
      name: string,
      options: Deletion = {},
    ): { object: Obj; gone: boolean } {
      const before = get(of, namespace, name)
      refuseDeletion(of, before, options)
      if (options.caller) police(of, undefined, before, { manager: '', ...options })
      const draft = marked(of, before, options)
      if (options.dryRun) return { object: before, gone: !draft }
      if (!draft) return { object: lastSeen(of, store.remove(of, before)), gone: true }
      return { object: same(draft, before) ? before : store.put(of, draft), gone: false }
    },
  }
  return api
}

type Parts = { sub?: string; entries?: ManagedEntry[] }

/** Debuggers get into a pod by a way of their own, which changes nothing else. */
const withDebuggers = (after: Obj, before: Obj, sub: string | undefined): Obj => {
  const from = sub === 'ephemeralcontainers' ? after : before
  const { ephemeralContainers: _e, ...spec } = sub === 'ephemeralcontainers' ? clone(before.spec) : after.spec
  const { ephemeralContainers } = from.spec
  return { ...after, spec: { ...spec, ...(ephemeralContainers && { ephemeralContainers }) } }
}

/** What was never stored has none. */
const withoutVersion = ({ metadata: { resourceVersion: _v, ...metadata }, ...rest }: Obj): Obj =>
  ({ ...rest, metadata }) as Obj

const terminating = (of: Resource, name: string, why: string, namespace: string) => {
  const refused = forbidden(of, name, why)
  const message = `namespace ${namespace} is being terminated`
  refused.body.details.causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]
  return refused
}

const elsewhere = () =>
  badRequest('the namespace of the provided object does not match the namespace sent on the request')

const otherName = (given: string, name: string) =>
  badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)

/** Five characters of the alphabet the real one uses: no vowels, no look-alikes. */
export const suffix = (length = 5): string =>
  [...randomBytes(length)].map(it => 'bcdfghjklmnpqrstvwxz2456789'[it % 27]).join('')

export const patched = (type: Exclude<PatchType, 'apply'>, target: Loose, body: Loose): Loose => {
  if (type === 'json') return jsonPatch(target, body)
  if (!isMap(body))
    throw badRequest('error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}')
  return type === 'merge' ? mergePatch(target, body) : strategicPatch(target, body)
}
