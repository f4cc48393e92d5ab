import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone, isReady } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { availableIn, claim, ownerReference } from './replicasets.ts'
import { forgetRevisions, revisionLabel, revisionOf, revisions, templateOf } from './revisions.ts'

const me = 'kube-controller-manager'
const of = kind('StatefulSet')

/** Moves a StatefulSet one step on, in the order of its ordinals, then writes its status. */
export const reconcileStatefulSet = (store: Store, api: Api, record: Record, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const set = store.get(of, namespace, name)
  if (!set) return undefined
  const { all, update } = revisions(store, api, set)
  const current = all.find(it => it.metadata.name === set.status?.currentRevision) ?? update
  claim(store, api, set)
  const pods = () => store.controlledBy(kind('Pod'), set.metadata.uid).filter(it => ordinalOf(set, it) !== undefined)
  if (!set.metadata.deletionTimestamp) {
    const make = (ordinal: number) => {
      const revision = keepsCurrent(set, ordinal) ? current : update
      const pod = create(store, api, set, ordinal, revision)
      record(set, 'Normal', 'SuccessfulCreate', `create Pod ${pod} in StatefulSet ${name} successful`)
    }
    const drop = (pod: Obj) => {
      api.remove(kind('Pod'), namespace, pod.metadata.name)
      record(set, 'Normal', 'SuccessfulDelete', `delete Pod ${pod.metadata.name} in StatefulSet ${name} successful`)
    }
    step({ set, pods: pods(), update: update.metadata.name, make, drop })
    forgetRevisions(
      api,
      set,
      all,
      new Set([current, update].map(it => it.metadata.name).concat(pods().map(it => revisionOf(it)!))),
    )
  }
  return report(api, set, pods(), current.metadata.name, update.metadata.name)
}

/** The number at the end of the pod's name, when the rest is the set's. */
const ordinalOf = (set: Obj, pod: Obj): number | undefined => {
  const parts = /^(.+)-(\d+)$/.exec(pod.metadata.name)
  return parts?.[1] === set.metadata.name ? Number(parts![2]) : undefined
}
const startOf = ({ spec }: Obj): number => spec.ordinals?.start ?? 0

/** Below the partition, or while a rolling update has not come to it, an ordinal keeps the template it had. */
const keepsCurrent = ({ spec, status, ...set }: Obj, ordinal: number): boolean => {
  if (spec.updateStrategy.type !== 'RollingUpdate') return false
  const { partition } = spec.updateStrategy.rollingUpdate ?? {}
  return ordinal < startOf({ spec, ...set } as Obj) + (partition ?? status?.currentReplicas ?? 0)
}

type Step = { set: Obj; pods: Obj[]; update: string; make(ordinal: number): void; drop(pod: Obj): void }

const isOver = (pod: Obj) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
const isHealthy = (set: Obj, pod: Obj | undefined) =>
  !!pod && isReady(pod) && !pod.metadata.deletionTimestamp && availableIn(pod, set.spec.minReadySeconds) === 0

const step = ({ set, pods, update, make, drop }: Step): void => {
  const { spec } = set
  const isOrdered = spec.podManagementPolicy !== 'Parallel'
  const [first, end] = [startOf(set), startOf(set) + spec.replicas]
  const at = new Map(pods.map(it => [ordinalOf(set, it)!, it]))
  for (let ordinal = first; ordinal < end; ordinal++) {
    const pod = at.get(ordinal)
    if (pod && isOver(pod) && !pod.metadata.deletionTimestamp) {
      drop(pod)
      return
    }
    if (!pod) make(ordinal)
    if (isOrdered && !isHealthy(set, pod)) return
  }
  const surplus = [...at].filter(([ordinal]) => ordinal < first || ordinal >= end).sort(([a], [b]) => b - a)
  for (const [, pod] of surplus) {
    if (!pod.metadata.deletionTimestamp) drop(pod)
    if (isOrdered) return
  }
  if (spec.updateStrategy.type === 'OnDelete') return
  const partition = first + (spec.updateStrategy.rollingUpdate?.partition ?? 0)
  for (let ordinal = end - 1; ordinal >= partition; ordinal--) {
    const pod = at.get(ordinal)
    const isOld = pod && revisionOf(pod) !== update && !pod.metadata.deletionTimestamp
    if (isOld) drop(pod)
    if (isOld || !isHealthy(set, pod)) return
  }
}

const create = (store: Store, api: Api, set: Obj, ordinal: number, revision: Obj): string => {
  const { metadata = {}, spec } = templateOf(revision)
  const { namespace } = set.metadata
  const name = `${set.metadata.name}-${ordinal}`
  const labels = {
    ...metadata.labels,
    [revisionLabel]: revision.metadata.name,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  }
  const claims: Loose[] = set.spec.volumeClaimTemplates ?? []
  for (const it of claims) {
    const claimed = `${it.metadata.name}-${name}`
    if (store.get(kind('PersistentVolumeClaim'), namespace, claimed)) continue
    const body = { metadata: { name: claimed, labels: set.spec.selector.matchLabels }, spec: clone(it.spec) }
    api.create(kind('PersistentVolumeClaim'), namespace, body as unknown as Obj, { manager: me, internal: true })
  }
  const volumes = claims.map(({ metadata: { name: volume } }) => ({
    name: volume,
    persistentVolumeClaim: { claimName: `${volume}-${name}` },
  }))
  const body = {
    metadata: { name, namespace, labels, annotations: metadata.annotations, ownerReferences: [ownerReference(set)] },
    spec: { ...spec, hostname: name, subdomain: set.spec.serviceName, volumes: [...(spec.volumes ?? []), ...volumes] },
  } as unknown as Obj
  return api.create(kind('Pod'), namespace, body, { manager: me, internal: true }).metadata.name
}

const report = (api: Api, set: Obj, pods: Obj[], current: string, update: string): number | undefined => {
  const { replicas, minReadySeconds, updateStrategy } = set.spec
  const alive = pods.filter(it => !it.metadata.deletionTimestamp)
  const ready = alive.filter(isReady)
  const waits = ready.map(it => availableIn(it, minReadySeconds)).filter(it => it > 0)
  const count = (revision: string) => alive.filter(it => revisionOf(it) === revision).length
  const updated = count(update)
  const isDone =
    updateStrategy.type === 'RollingUpdate' && [updated, ready.length, alive.length].every(it => it === replicas)
  const status = {
    observedGeneration: set.metadata.generation,
    replicas: alive.length,
    readyReplicas: ready.length,
    availableReplicas: ready.length - waits.length,
    currentReplicas: isDone ? updated : count(current),
    updatedReplicas: updated,
    currentRevision: isDone ? update : current,
    updateRevision: update,
    collisionCount: 0,
  }
  const change = (it: Obj) => {
    it.status = status
  }
  api.modify(of, set, change, me, 'status')
  return waits.length > 0 ? Math.min(...waits) + 5 : undefined
}
