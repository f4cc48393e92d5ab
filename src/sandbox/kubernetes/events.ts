import { randomBytes } from 'node:crypto'
import type { Api } from './api.ts'
import type { Obj } from './object.ts'
import { now } from './object.ts'
import { kind } from './resources.ts'
import type { Store } from './store.ts'

export type Record = (about: Obj, type: 'Normal' | 'Warning', reason: string, message: string) => void

const most = 500

/** Events as `kubectl describe` shows them; the same one again counts up. The oldest go when there are many. */
export const createRecorder =
  (store: Store, api: Api, component: string): Record =>
  (about, type, reason, message) => {
    const namespace = about.metadata.namespace ?? 'default'
    const of = kind('Event')
    const known = store
      .list(of, namespace)
      .find(it => it.involvedObject?.uid === about.metadata.uid && it.reason === reason && it.message === message)
    if (known) {
      api.modify(of, known, it => Object.assign(it, { count: it.count + 1, lastTimestamp: now() }), component)
      return
    }
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
    api.create(of, namespace, event as unknown as Obj, { manager: component, internal: true })
    const all = store.list(of)
    if (all.length > most) {
      const oldest = all.sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1))[0]!
      api.remove(of, oldest.metadata.namespace, oldest.metadata.name)
    }
  }
