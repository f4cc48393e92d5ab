import type { Kube } from './kube.ts'
import type { Metadata } from './object.ts'

/** The parts of a Deployment, ReplicaSet and Pod that are read here. */
export type EnvVar = { name: string; value?: string; valueFrom?: { configMapKeyRef: { name: string; key: string } } }

export type Container = { name: string; env?: EnvVar[] }

export type Deployment = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec: {
    replicas?: number
    paused?: boolean
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

/** A Deployment and its pods, told apart by their ReplicaSets (a pod may have lost any label). Null: not there. */
export const readRollout = async (kube: Kube, namespace: string, name: string): Promise<Rollout | null> => {
  const deployment = await kube.get<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
  if (!deployment) return null
  const [sets, pods] = await Promise.all([
    kube.list<ReplicaSet>({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace }),
    kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace }),
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
