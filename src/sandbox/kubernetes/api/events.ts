import { randomBytes } from 'node:crypto'
import type { Obj } from '../objects/object.ts'
import { now } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import type { Api } from './api.ts'

export type Record = (about: Obj, type: 'Normal' | 'Warning', reason: string, message: string) => void

/** How many of our own are kept; those of clients stay. */
const most = 500
const of = kind('Event')

/** Our own events of each store by what they say, the oldest first. */
const kept = new WeakMap<Store, Map<string, Obj>>()
const mark = (event: Obj) => `${event.involvedObject?.uid} ${event.reason} ${event.message}`

const keptOf = (store: Store): Map<string, Obj> => {
  const found = kept.get(store)
  if (found) return found
  const own = store.list(of).filter(it => it.source?.component)
  const old = own.sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1))
  const all = new Map(old.map(it => [mark(it), it]))
  kept.set(store, all)
  return all
}

/** Events as `kubectl describe` shows them; the same one again counts up. The oldest go when there are many. */
export const createRecorder =
  (store: Store, api: Api, component: string): Record =>
  (about, type, reason, message) => {
    const namespace = about.metadata.namespace ?? 'default'
    const all = keptOf(store)
    const key = mark({ involvedObject: { uid: about.metadata.uid }, reason, message } as unknown as Obj)
    const known = all.get(key)
    const counted =
      known && api.modify(of, known, it => Object.assign(it, { count: it.count + 1, lastTimestamp: now() }), component)
    if (counted) return
    const home = store.get(kind('Namespace'), undefined, namespace)
    if (!home || home.metadata.deletionTimestamp) return
    const { name, uid, resourceVersion } = about.metadata
    const event = {
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: { kind: about.kind, apiVersion: about.apiVersion, namespace, name, uid, resourceVersion },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now(),
      lastTimestamp: now(),
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
    }
    all.delete(key)
    all.set(key, api.create(of, namespace, event as unknown as Obj, { manager: component, internal: true }))
    for (const [oldest, it] of all) {
      if (all.size <= most) break
      all.delete(oldest)
      const { namespace, name } = it.metadata
      if (store.get(of, namespace, name)) api.remove(of, namespace, name)
    }
  }
