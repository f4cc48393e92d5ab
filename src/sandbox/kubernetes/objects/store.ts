import type { Loose, Obj } from './object.ts'
import { controllerOf, freeze, keyOf } from './object.ts'
import type { Resource } from './resources.ts'
import { apiVersionOf, maybeKind } from './resources.ts'
import { expired } from './status.ts'

export type StoreEvent = {
  of: Resource
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: Obj
  before: Obj | undefined
  version: number
}
export type StoreState = { version: number; objects: Obj[] }
export type Store = ReturnType<typeof createStore>

/**
 * The objects of one cluster, and what happened to them lately. Objects are frozen: change a clone and `put` it.
 * Listeners are called at once, in order; they must not throw and must not write.
 */
export const createStore = ({ saved, history = 5000 }: { saved?: StoreState | undefined; history?: number } = {}) => {
  // Whoever saw versions that were lost in a crash must not mistake new ones for them: leave a gap.
  // Before the first there was history, too: who asks for version 1 is too late, as in a cluster that is not new.
  let version = saved ? saved.version + 1000 : 10
  let oldest = version
  const tables = new Map<Resource, Map<string, Map<string, Obj>>>()
  const controlled = new Map<Resource, Map<string, Map<string, Obj>>>()
  const events: StoreEvent[] = []
  const listeners = new Set<(event: StoreEvent) => void>()

  const rows = (of: Resource, namespace: string) => {
    const spaces = tables.get(of) ?? new Map<string, Map<string, Obj>>()
    tables.set(of, spaces)
    const found = spaces.get(namespace) ?? new Map<string, Obj>()
    spaces.set(namespace, found)
    return found
  }

  const index = (of: Resource, before: Obj | undefined, after: Obj | undefined) => {
    const uids = controlled.get(of) ?? new Map<string, Map<string, Obj>>()
    controlled.set(of, uids)
    const was = before && (controllerOf(before)?.uid ?? '')
    if (was !== undefined && uids.get(was)?.delete(before!.metadata.uid) && uids.get(was)!.size === 0) uids.delete(was)
    if (!after) return
    const is = controllerOf(after)?.uid ?? ''
    const found = uids.get(is) ?? new Map<string, Obj>()
    uids.set(is, found.set(after.metadata.uid, after))
  }

  for (const object of saved?.objects ?? []) {
    const of = maybeKind(object.apiVersion, object.kind)
    if (!of) continue
    rows(of, object.metadata.namespace ?? '').set(object.metadata.name, freeze(object))
    index(of, undefined, object)
  }

  const happened = (event: StoreEvent) => {
    events.push(event)
    if (events.length > history) oldest = events.shift()!.version
    for (const listener of [...listeners]) listener(event)
  }

  return {
    get version() {
      return version
    },
    get(of: Resource, namespace: string | undefined, name: string): Obj | undefined {
      return tables
        .get(of)
        ?.get(namespace ?? '')
        ?.get(name)
    },
    /** In no order. No namespace: all of them. */
    list(of: Resource, namespace?: string): Obj[] {
      const spaces = tables.get(of)
      if (!spaces) return []
      if (namespace !== undefined) return [...(spaces.get(namespace)?.values() ?? [])]
      return [...spaces.values()].flatMap(it => [...it.values()])
    },
    /** Sorted by namespace and name, as the API answers. */
    sorted(of: Resource, namespace?: string): Obj[] {
      const keyed = this.list(of, namespace).map(it => [keyOf(it), it] as const)
      return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it)
    },
    /** As it was at that version. Throws 410 where what happened since is no longer known. */
    sortedAt(version: number, of: Resource, namespace?: string): Obj[] {
      const found = new Map(this.list(of, namespace).map(it => [keyOf(it), it] as const))
      for (const event of this.since(version).reverse()) {
        if (event.of !== of || (namespace !== undefined && event.object.metadata.namespace !== namespace)) continue
        if (event.before) found.set(keyOf(event.object), event.before)
        else found.delete(keyOf(event.object))
      }
      return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it)
    },
    /** Those whose controller is that object; no uid: those that have none. */
    controlledBy(of: Resource, uid = ''): Obj[] {
      return [...(controlled.get(of)?.get(uid)?.values() ?? [])]
    },
    all(): Obj[] {
      return [...tables.values()].flatMap(spaces => [...spaces.values()].flatMap(it => [...it.values()]))
    },
    put(of: Resource, object: Obj): Obj {
      const table = rows(of, object.metadata.namespace ?? '')
      const before = table.get(object.metadata.name)
      version++
      const { apiVersion: _a, kind: _k, metadata, ...rest } = object
      const kept: Obj = freeze({
        apiVersion: apiVersionOf(of),
        kind: of.kind,
        metadata: { ...metadata, resourceVersion: String(version) },
        ...rest,
      })
      table.set(kept.metadata.name, kept)
      index(of, before, kept)
      happened({ of, type: before ? 'MODIFIED' : 'ADDED', object: kept, before, version })
      return kept
    },
    remove(of: Resource, object: Obj): Obj {
      const table = rows(of, object.metadata.namespace ?? '')
      const before = table.get(object.metadata.name)
      if (!before || before.metadata.uid !== object.metadata.uid) return object
      table.delete(object.metadata.name)
      index(of, before, undefined)
      version++
      const gone: Obj = freeze({ ...before, metadata: { ...before.metadata, resourceVersion: String(version) } })
      happened({ of, type: 'DELETED', object: gone, before, version })
      return gone
    },
    /** What happened after that version. Throws 410 when that is no longer known. */
    since(after: number): StoreEvent[] {
      if (after < oldest) throw expired(`too old resource version: ${after} (${oldest})`)
      return events.filter(it => it.version > after)
    },
    /** Forgets what happened so far, so that watches of older versions get 410. */
    compact() {
      events.length = 0
      oldest = version
    },
    listen(listener: (event: StoreEvent) => void): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    state(): StoreState {
      return { version, objects: this.all() as Loose }
    },
  }
}
