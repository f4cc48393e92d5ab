import type { Api } from '../api/api.ts'
import { suffix } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive, isReady } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { availableIn, claim, ownerReference } from './replicasets.ts'
import { forgetRevisions, revisionLabel, revisionOf, revisions, templateOf } from './revisions.ts'
import { resolve } from './rolling.ts'
import { obstacle } from './scheduler.ts'

const me = 'kube-controller-manager'
const of = kind('DaemonSet')

/** What the pods of a DaemonSet put up with, besides what its template says. */
const patience: Loose[] = ['not-ready', 'unreachable']
  .map((it): Loose => ({ key: `node.kubernetes.io/${it}`, operator: 'Exists', effect: 'NoExecute' }))
  .concat(
    ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map(it => ({
      key: `node.kubernetes.io/${it}`,
      operator: 'Exists',
      effect: 'NoSchedule',
    })),
  )

/** One pod on each node that may have it; a new template replaces pods as `maxUnavailable` leaves room. */
export const reconcileDaemonSet = (store: Store, api: Api, record: Record, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const set = store.get(of, namespace, name)
  if (!set) return undefined
  const { all, update } = revisions(store, api, set)
  const revision = update.metadata.name
  claim(store, api, set)
  const pods = () => store.controlledBy(kind('Pod'), set.metadata.uid)
  const nodes = store.sorted(kind('Node')).filter(it => mayRun(set, it))
  if (!set.metadata.deletionTimestamp) {
    const drop = (pod: Obj) => {
      api.remove(kind('Pod'), namespace, pod.metadata.name)
      record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    }
    const byNode = Map.groupBy(pods(), nodeOf)
    for (const [node, found] of byNode)
      if (!nodes.some(it => it.metadata.name === node)) for (const it of found.filter(isActive)) drop(it)
    for (const node of nodes) {
      const found = byNode.get(node.metadata.name) ?? []
      for (const it of found) if (!isActive(it) && !it.metadata.deletionTimestamp) drop(it)
      if (found.length > 0) continue
      record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${create(api, set, node, update)}`)
    }
    if (set.spec.updateStrategy.type === 'RollingUpdate') replace(set, nodes.length, pods(), revision, drop)
    forgetRevisions(api, set, all, new Set([revision, ...pods().map(revisionOf)]))
  }
  return report(api, set, nodes.length, pods().filter(isActive), revision)
}

const mayRun = (set: Obj, node: Obj): boolean => {
  const { spec } = set.spec.template
  const open = { ...node, spec: { ...node.spec, unschedulable: false } }
  return !obstacle(
    { spec: { ...spec, tolerations: [...(spec.tolerations ?? []), ...patience] } } as unknown as Obj,
    open as Obj,
  )
}

const nodeOf = (pod: Obj): string | undefined =>
  pod.spec.nodeName ??
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.[0]
    ?.matchFields?.[0]?.values?.[0]

/** Old pods that are not available go at once, healthy ones as far as the bound allows. */
const replace = (set: Obj, wanted: number, pods: Obj[], revision: string, drop: (pod: Obj) => void) => {
  const most = Math.max(1, resolve(set.spec.updateStrategy.rollingUpdate?.maxUnavailable ?? 1, wanted, Math.ceil))
  const isFit = (it: Obj) => isActive(it) && isReady(it) && availableIn(it, set.spec.minReadySeconds) === 0
  const old = pods.filter(it => isActive(it) && revisionOf(it) !== revision)
  for (const it of old) if (!isFit(it)) drop(it)
  const room = most - (wanted - pods.filter(isFit).length)
  for (const it of old.filter(isFit).slice(0, Math.max(0, room))) drop(it)
}

const create = (api: Api, set: Obj, node: Obj, revision: Obj): string => {
  const { metadata = {}, spec } = templateOf(revision)
  const { namespace } = set.metadata
  const labels = { ...metadata.labels, [revisionLabel]: revision.metadata.name }
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node.metadata.name] }]
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
  const body = {
    metadata: {
      name: `${set.metadata.name}-${suffix()}`,
      ...{ namespace, labels, annotations: metadata.annotations, ownerReferences: [ownerReference(set)] },
    },
    spec: {
      ...spec,
      affinity: { ...spec.affinity, nodeAffinity: required },
      tolerations: [...(spec.tolerations ?? []), ...patience],
    },
  } as unknown as Obj
  return api.create(kind('Pod'), namespace, body, { manager: me, internal: true }).metadata.name
}

const report = (api: Api, set: Obj, wanted: number, pods: Obj[], revision: string): number | undefined => {
  const ready = pods.filter(isReady)
  const waits = ready.map(it => availableIn(it, set.spec.minReadySeconds)).filter(it => it > 0)
  const available = ready.length - waits.length
  const status = {
    observedGeneration: set.metadata.generation,
    currentNumberScheduled: pods.length,
    desiredNumberScheduled: wanted,
    numberAvailable: available || undefined,
    numberMisscheduled: 0,
    numberReady: ready.length,
    numberUnavailable: Math.max(0, wanted - available) || undefined,
    updatedNumberScheduled: pods.filter(it => revisionOf(it) === revision).length || undefined,
  }
  const change = (it: Obj) => {
    it.status = status
  }
  api.modify(of, set, change, me, 'status')
  return waits.length > 0 ? Math.min(...waits) + 5 : undefined
}
