import type { Api } from '../api/api.ts'
import { suffix } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Obj } from '../objects/object.ts'
import { clone, isActive, isReady, withCondition } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import { selects } from '../objects/selectors.ts'
import { Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'

const me = 'kube-controller-manager'

export const ownerReference = (owner: Obj) => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

/** Since when the pod is ready, in ms; undefined while it is not. */
const readySince = (pod: Obj): number | undefined => {
  const found = pod.status?.conditions?.find((it: { type: string }) => it.type === 'Ready')
  return found?.status === 'True' ? Date.parse(found.lastTransitionTime) : undefined
}

/** In how many ms a ready pod counts as available; 0: it does. */
export const availableIn = (pod: Obj, minReadySeconds = 0): number =>
  minReadySeconds === 0 ? 0 : Math.max(0, (readySince(pod) ?? Date.now()) + minReadySeconds * 1000 - Date.now())

/** Keeps as many pods as a ReplicaSet says. Answers when a pod that is ready will count as available. */
export const reconcileReplicaSet = (store: Store, api: Api, record: Record, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const set = store.get(kind('ReplicaSet'), namespace, name)
  if (!set) return undefined
  const mine = claim(store, api, set)
  const wanted = set.spec.replicas
  if (!set.metadata.deletionTimestamp) {
    const refused = fillUp(api, record, set, wanted - mine.length)
    if (refused) {
      report(store, api, set, refused)
      return retryMs
    }
    const surplus = [...mine].sort((a, b) => worth(a) - worth(b)).slice(0, Math.max(0, mine.length - wanted))
    for (const pod of surplus) {
      api.remove(kind('Pod'), namespace, pod.metadata.name)
      record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    }
  }
  return report(store, api, set)
}

const retryMs = 1000

/** Makes that many pods; answers why it could not, e.g. a quota. */
const fillUp = (api: Api, record: Record, set: Obj, count: number): string | undefined => {
  try {
    for (let n = 0; n < count; n++) record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${create(api, set)}`)
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    record(set, 'Warning', 'FailedCreate', `Error creating: ${thrown.message}`)
    return thrown.message
  }
}

/** Takes pods that match and belong to nobody, lets go of those that match no more. */
export const claim = (store: Store, api: Api, set: Obj): Obj[] => {
  const of = kind('Pod')
  const matches = (pod: Obj) => selects(set.spec.selector, pod.metadata.labels)
  const { uid, namespace, deletionTimestamp } = set.metadata
  for (const pod of store.controlledBy(of, uid)) {
    if (matches(pod)) continue
    const others = pod.metadata.ownerReferences!.filter(it => it.uid !== uid)
    api.modify(
      of,
      pod,
      it => {
        it.metadata.ownerReferences = others
      },
      me,
    )
  }
  const orphans = deletionTimestamp ? [] : store.controlledBy(of).filter(it => it.metadata.namespace === namespace)
  for (const pod of orphans) {
    if (!matches(pod) || !isActive(pod)) continue
    const refs = [...(pod.metadata.ownerReferences ?? []), ownerReference(set)]
    api.modify(
      of,
      pod,
      it => {
        it.metadata.ownerReferences = refs
      },
      me,
    )
  }
  return store.controlledBy(of, uid).filter(isActive)
}

const create = (api: Api, set: Obj): string => {
  const { metadata = {}, spec } = clone(set.spec.template)
  const pod = {
    metadata: {
      name: `${set.metadata.name}-${suffix()}`,
      namespace: set.metadata.namespace,
      labels: metadata.labels,
      annotations: metadata.annotations,
      ownerReferences: [ownerReference(set)],
    },
    spec,
  } as unknown as Obj
  return api.create(kind('Pod'), set.metadata.namespace, pod, { manager: me, internal: true }).metadata.name
}

/** The least worth go first: not placed, not running, not ready, then the youngest. */
const worth = (pod: Obj): number =>
  (pod.spec.nodeName ? 4e15 : 0) +
  (pod.status?.phase === 'Running' ? 2e15 : 0) +
  (isReady(pod) ? 1e15 : 0) -
  (readySince(pod) ?? Date.parse(pod.metadata.creationTimestamp)) / 10

const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }

const report = (store: Store, api: Api, set: Obj, refused?: string): number | undefined => {
  const pods = store.controlledBy(kind('Pod'), set.metadata.uid).filter(isActive)
  const ready = pods.map(readySince).filter(it => it !== undefined)
  const settling = (set.spec.minReadySeconds ?? 0) * 1000
  const waits = ready.map(it => it + settling - Date.now()).filter(it => settling > 0 && it > 0)
  const count = (n: number) => (n > 0 ? n : undefined)
  const status = {
    replicas: pods.length,
    fullyLabeledReplicas: count(pods.length),
    readyReplicas: count(ready.length),
    availableReplicas: count(ready.length - waits.length),
    observedGeneration: set.metadata.generation,
    // The first refusal stays: each one names another pod that was to be.
    ...(refused && { conditions: set.status?.conditions ?? withCondition([], { ...failure, message: refused }) }),
  }
  api.modify(
    kind('ReplicaSet'),
    set,
    it => {
      it.status = status
    },
    me,
    'status',
  )
  return waits.length > 0 ? Math.min(...waits) + 5 : undefined
}
