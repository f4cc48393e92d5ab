import type { Json } from '../engine/json.ts'
import type { Metadata } from './kube/object.ts'

export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod'] as const

export type WorkloadRef = { kind: (typeof workloadKinds)[number]; name: string }

/** What a workload is called among those of its namespace: a Deployment by its name, `cronjob/nightly`. */
export const calledAs = ({ kind, name }: WorkloadRef): string =>
  kind === 'Deployment' ? name : `${kind.toLowerCase()}/${name}`

/** As `kubectl` takes it. */
export const asArgument = ({ kind, name }: WorkloadRef): string => `${kind.toLowerCase()}/${name}`

/** The parts of workloads and pods that are read here. */
export type EnvVar = { name: string; value?: string; valueFrom?: { configMapKeyRef: { name: string; key: string } } }

export type Container = { name: string; env?: EnvVar[]; volumeMounts?: { mountPath: string }[] }

export type PodSpec = {
  nodeName?: string
  hostNetwork?: boolean
  containers: Container[]
  initContainers?: Container[]
}

export type PodTemplate = {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

export const containersOf = ({ spec }: PodTemplate): Container[] => [...(spec.initContainers ?? []), ...spec.containers]

export type LabelSelector = {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[]
}

/** Of any kind: what only some have is optional. */
export type Workload = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec: {
    replicas?: number
    paused?: boolean
    suspend?: boolean
    selector?: LabelSelector
    template?: PodTemplate
    jobTemplate?: { spec: { template: PodTemplate } }
    podManagementPolicy?: string
    ordinals?: { start?: number }
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } }
  } & Record<string, unknown>
  status?: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    updateRevision?: string
    desiredNumberScheduled?: number
    updatedNumberScheduled?: number
    numberAvailable?: number
    conditions?: Condition[]
  } & Record<string, unknown>
}

export type Condition = { type: string; status: string; reason?: string; message?: string }

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
  spec: PodSpec
  status?: {
    phase?: string
    podIP?: string
    hostIP?: string
    startTime?: string
    conditions?: Condition[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
  }
}

/** Pods of a workload. */
export type Pods = {
  /** Of the template that it has now. */
  current: Pod[]
  /** Of earlier templates that are still there, also those on their way out. */
  old: Pod[]
}

export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'True') ?? false

/** Has it ended for good? */
export const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** Of all containers that can end a pod's start, and its life. */
export const statusesOf = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
]

export const ownedBy = (metadata: Metadata, uid: string | undefined): boolean =>
  uid !== undefined && (metadata.ownerReferences?.some(owner => owner.uid === uid) ?? false)

/** A selector as a list is asked for by it. */
export const queryOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string => {
  const said = { In: 'in', NotIn: 'notin' }
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      if (operator === 'Exists') return key
      return operator === 'DoesNotExist' ? `!${key}` : `${key} ${said[operator]} (${values.join(',')})`
    }),
  ].join(',')
}

/** A value put where `path` says, in objects that have nothing else. */
export const placedAt = ([step, ...rest]: readonly string[], value: Json): Json =>
  step === undefined ? value : { [step]: placedAt(rest, value) }
