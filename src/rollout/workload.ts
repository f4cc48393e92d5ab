import type { Kube } from './kube.ts'
import { type Eye, joined } from './kube-follow.ts'
import type { Metadata } from './object.ts'

/** The parts of a Deployment, ReplicaSet and Pod that are read here. */
export type EnvVar = { name: string; value?: string; valueFrom?: { configMapKeyRef: { name: string; key: string } } }

export type Container = { name: string; env?: EnvVar[]; volumeMounts?: { mountPath: string }[] }

export type Deployment = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec: {
    replicas?: number
    paused?: boolean
    selector: LabelSelector
    template: { metadata?: { labels?: Record<string, string> }; spec: { containers: Container[] } }
  }
  status?: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
  }
}

export type LabelSelector = {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[]
}

export type ReplicaSet = { apiVersion: string; kind: string; metadata: Metadata }

export type Ended = { exitCode: number; reason?: string; message?: string }

export type ContainerStatus = {
  name: string
  ready: boolean
  restartCount: number
  state?: { waiting?: { reason?: string; message?: string }; running?: object; terminated?: Ended }
  lastState?: { terminated?: Ended }
}

export type Pod = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec: { nodeName?: string; containers: Container[] }
  status?: {
    phase?: string
    podIP?: string
    hostIP?: string
    startTime?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
  }
}

export type Rollout = {
  deployment: Deployment
  /** Pods of the template that the Deployment has now. */
  current: Pod[]
  /** Pods of earlier templates that are still there, also those on their way out. */
  old: Pod[]
}

/**
 * A Deployment and its pods, told apart by their ReplicaSets. Null: not there. A pod that lost a label of the selector
 * belongs to nobody any more; one that lost another is still found.
 */
export const readRollout = async (kube: Kube, namespace: string, name: string): Promise<Rollout | null> => {
  const deployment = await kube.get<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
  if (!deployment) return null
  const labelSelector = queryOf(deployment.spec.selector)
  const [sets, pods] = await Promise.all([
    kube.list<ReplicaSet>({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace, labelSelector }),
    kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }),
  ])
  return { deployment, ...sortPods(deployment, sets.items, pods.items) }
}

export const sortPods = (deployment: Deployment, sets: ReplicaSet[], pods: Pod[]): Omit<Rollout, 'deployment'> => {
  const ours = sets.filter(set => ownedBy(set.metadata, deployment.metadata.uid))
  const revision = deployment.metadata.annotations?.[REVISION]
  const now = ours.find(set => revision !== undefined && set.metadata.annotations?.[REVISION] === revision)
  const current = pods.filter(pod => now && ownedBy(pod.metadata, now.metadata.uid))
  const old = pods.filter(pod => ours.some(set => set !== now && ownedBy(pod.metadata, set.metadata.uid)))
  return { current, old }
}

/** Eyes on what a rollout of a Deployment changes: it and its pods. */
export const eyesOn = (kube: Kube, namespace: string, name: string): Eye => {
  const itself = kube.follow({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }, it => it.metadata.name === name)
  const pods = kube.follow({ apiVersion: 'v1', kind: 'Pod', namespace }, ({ metadata }) =>
    (metadata.ownerReferences ?? []).some(it => it.kind === 'ReplicaSet' && it.name.startsWith(`${name}-`)),
  )
  return joined([itself, pods])
}

/** A selector as a list is asked for by it. */
export const queryOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string => {
  const said = { In: 'in', NotIn: 'notin' }
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      if (operator === 'Exists') return key
      return operator === 'DoesNotExist' ? `!${key}` : `${key} ${said[operator]} (${values.join(',')})`
    }),
  ].join(',')
}

export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'True') ?? false

/** Of all containers that can end a pod's start, and its life. */
export const statusesOf = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
]

const REVISION = 'deployment.kubernetes.io/revision'

const ownedBy = (metadata: Metadata, uid: string | undefined): boolean =>
  uid !== undefined && (metadata.ownerReferences?.some(owner => owner.uid === uid) ?? false)
