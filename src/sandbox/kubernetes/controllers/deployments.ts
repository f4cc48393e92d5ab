import { createHash } from 'node:crypto'
import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone, isActive, same, stable } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { ownerReference } from './replicasets.ts'
import { bounds, scaleDown, scaleUp } from './rolling.ts'
import { deploymentStatus } from './rollout-status.ts'

const me = 'kube-controller-manager'
export const revisionKey = 'deployment.kubernetes.io/revision'
const hashLabel = 'pod-template-hash'

/** Moves a Deployment one step on: its ReplicaSets, then its status. Answers when its deadline wants a look. */
export const reconcileDeployment = (store: Store, api: Api, record: Record, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const deployment = store.get(kind('Deployment'), namespace, name)
  if (!deployment) return undefined
  const setsNow = () => setsOf(store, deployment)
  if (!deployment.metadata.deletionTimestamp) {
    const sets = setsNow()
    const current =
      sets.find(it => isOf(it, deployment)) ??
      (deployment.spec.paused ? undefined : createSet(api, deployment, sets, record))
    if (current && !deployment.spec.paused) number(api, deployment, current, sets)
    const others = setsNow().filter(it => it.metadata.uid !== current?.metadata.uid)
    const fresh = current && store.get(kind('ReplicaSet'), namespace, current.metadata.name)
    if (deployment.spec.paused) resize(api, deployment, [...(fresh ? [fresh] : []), ...others], record)
    else if (fresh) roll(store, api, deployment, fresh, others, record)
    if (fresh && !deployment.spec.paused) forget(api, deployment, others)
  }
  const sets = setsNow()
  const { status, lookAgain } = deploymentStatus(
    deployment,
    sets.find(it => isOf(it, deployment)),
    sets,
  )
  api.modify(
    kind('Deployment'),
    deployment,
    it => {
      it.status = status
    },
    me,
    'status',
  )
  return lookAgain
}

const setsOf = (store: Store, { metadata }: Obj): Obj[] => store.controlledBy(kind('ReplicaSet'), metadata.uid)

const plain = (template: Loose): Loose => {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}
const isOf = (set: Obj, deployment: Obj) => same(plain(set.spec.template), plain(deployment.spec.template))

const hashOf = (template: Loose): string =>
  [
    ...createHash('sha256')
      .update(stable(plain(template)))
      .digest(),
  ]
    .slice(0, 10)
    .map(it => 'bcdfghjklmnpqrstvwxz2456789'[it % 27])
    .join('')

const createSet = (api: Api, deployment: Obj, sets: Obj[], record: Record): Obj => {
  const template = clone(deployment.spec.template)
  const hash = hashOf(template)
  template.metadata.labels = { ...template.metadata.labels, [hashLabel]: hash }
  const selector = clone(deployment.spec.selector)
  selector.matchLabels = { ...selector.matchLabels, [hashLabel]: hash }
  const isFirst = !sets.some(it => it.spec.replicas > 0)
  const start = isFirst && deployment.spec.strategy.type === 'RollingUpdate' ? deployment.spec.replicas : 0
  const set = {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels: template.metadata.labels,
      ownerReferences: [ownerReference(deployment)],
    },
    spec: { replicas: start, selector, template, minReadySeconds: deployment.spec.minReadySeconds },
  } as unknown as Obj
  const made = api.create(kind('ReplicaSet'), deployment.metadata.namespace, set, { manager: me, internal: true })
  if (start > 0)
    record(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${made.metadata.name} from 0 to ${start}`)
  return made
}

const revisionOf = (it: Obj) => Number(it.metadata.annotations?.[revisionKey] ?? 0)
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionKey,
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
])

/** The current set has the highest revision, also when an undo brings an old one back. */
const number = (api: Api, deployment: Obj, current: Obj, sets: Obj[]) => {
  const before = Math.max(0, ...sets.filter(it => it.metadata.uid !== current.metadata.uid).map(revisionOf))
  const revision = String(revisionOf(current) > before ? revisionOf(current) : before + 1)
  const { surge } = bounds(deployment)
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key))
  const annotations = {
    ...Object.fromEntries(copied),
    [revisionKey]: revision,
    'deployment.kubernetes.io/desired-replicas': String(deployment.spec.replicas),
    'deployment.kubernetes.io/max-replicas': String(deployment.spec.replicas + surge),
  }
  api.modify(
    kind('ReplicaSet'),
    current,
    it => {
      it.metadata.annotations = { ...it.metadata.annotations, ...annotations }
      it.spec.minReadySeconds = deployment.spec.minReadySeconds
    },
    me,
  )
  api.modify(
    kind('Deployment'),
    deployment,
    it => {
      it.metadata.annotations = { ...it.metadata.annotations, [revisionKey]: revision }
    },
    me,
  )
}

const setReplicas = (api: Api, deployment: Obj, set: Obj, replicas: number, record: Record) => {
  const before = set.spec.replicas
  if (before === replicas) return
  api.modify(
    kind('ReplicaSet'),
    set,
    it => {
      it.spec.replicas = replicas
    },
    me,
  )
  const way = replicas > before ? 'up' : 'down'
  record(
    deployment,
    'Normal',
    'ScalingReplicaSet',
    `Scaled ${way} replica set ${set.metadata.name} from ${before} to ${replicas}`,
  )
}

/** While paused nothing rolls, but the number of replicas is obeyed by the newest set that has any. */
const resize = (api: Api, deployment: Obj, sets: Obj[], record: Record) => {
  const active = sets.filter(it => it.spec.replicas > 0).sort((a, b) => revisionOf(b) - revisionOf(a))
  const target = active[0] ?? sets.sort((a, b) => revisionOf(b) - revisionOf(a))[0]
  if (!target) return
  const rest = active.slice(1).reduce((sum, it) => sum + it.spec.replicas, 0)
  if (active.length <= 1) setReplicas(api, deployment, target, Math.max(0, deployment.spec.replicas - rest), record)
}

const roll = (store: Store, api: Api, deployment: Obj, current: Obj, others: Obj[], record: Record) => {
  const change = (set: Obj, replicas: number) => setReplicas(api, deployment, set, replicas, record)
  if (deployment.spec.strategy.type === 'Recreate') {
    for (const it of others) change(it, 0)
    const pods = others.flatMap(it => store.controlledBy(kind('Pod'), it.metadata.uid))
    const left = pods.some(it => isActive(it) || it.metadata.deletionTimestamp)
    if (!left) change(current, deployment.spec.replicas)
    return
  }
  const up = scaleUp(deployment, current, others)
  if (up !== current.spec.replicas) return change(current, up)
  for (const { set, replicas } of scaleDown(deployment, current, others)) change(set, replicas)
}

/** Old sets beyond the history limit go, once they are empty. */
const forget = (api: Api, deployment: Obj, others: Obj[]) => {
  const empty = others.filter(
    it => it.spec.replicas === 0 && !it.status?.replicas && it.status?.observedGeneration === it.metadata.generation,
  )
  const surplus = empty.sort((a, b) => revisionOf(b) - revisionOf(a)).slice(deployment.spec.revisionHistoryLimit)
  for (const it of surplus) api.remove(kind('ReplicaSet'), it.metadata.namespace, it.metadata.name)
}
