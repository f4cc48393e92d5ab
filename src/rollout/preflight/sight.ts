import type { EgressWant } from '../egress-want.ts'
import type { KubeObject, Metadata } from '../kube/object.ts'
import type { FieldConflict } from '../kube/problem.ts'
import type { Condition, LabelSelector, Pod, Workload, WorkloadRef } from '../workload.ts'
import type { Rollout } from '../workloads/read.ts'
import type { Altered } from './altered.ts'

/** What was read of one namespace before anything in it moves. Lists that may not be read are empty. */
export type Sight = {
  namespace: string
  /** What would be moved and is there. */
  moving: Moving[]
  /** What would be moved and is not there. */
  absent: WorkloadRef[]
  pods: Pod[]
  /** Whatever has pods by a selector, ours too. */
  workloads: Workload[]
  services: Service[]
  policies: Policy[]
  /** Policies of other kinds, that this cluster has; of all namespaces, too. */
  foreign: KubeObject[]
  /** Of the namespace itself; null: not known, or nobody needs them. */
  namespaceLabels: Labels | null
  /** What changes how many pods workloads have, or which. */
  scalers: KubeObject[]
  budgets: Budget[]
  quotas: Quota[]
  /** Of volumes; read where a pod that comes before another goes has some. */
  claims: Claim[]
  /** Null: they may not be read, or nothing would need another place. */
  nodes: ClusterNode[] | null
  /** Of all namespaces, where nodes were read. */
  everyPod: Pod[]
  /** Rights that a rollout needs and this user does not have. */
  missing: Right[]
  /** Kinds that could not be read, in words. */
  unread: string[]
  /** What pods reach without the proxy by right: CIDRs of pods, Services, private networks. */
  inside: string[]
  /** What the tenant's file says of its rollout. */
  wishes: Wishes
}

export type Wishes = {
  /** Gates are asked again when they know nothing. */
  patient: boolean
  /** Fields of what Flux, Helm and their like own may be patched. */
  patch: boolean
  /** The tenant's nodes become more by themselves. */
  grows: boolean
  /** Entries of a partner's list that are to go, unless pods that nobody moves need them. */
  entries?: readonly string[]
}

export type Moving = Rollout & {
  ref: WorkloadRef
  /** `namespace/name`, for people. */
  name: string
  phase: string
  want: EgressWant
  /** Our fields are on it already: an earlier run began, or its work is mended. */
  begun: boolean
  /** Labels of its pods, before and after. */
  labels: { before: Labels; after: Labels }
  /** What would be applied. */
  target: KubeObject
  /** What the cluster said to it without doing it; null: it would be taken. */
  refused: Refused | null
  /** The same of one new pod. */
  podRefused: Refused | null
  /** What webhooks make of the change, and of one new pod. */
  altered: Altered
  podAltered: Altered
  /** A pod of it was asked, and has none. */
  lacksCurl: boolean
  /** What the cluster said to a pod of ours that would stand in for it, or try the policy beside it. */
  standInRefused: Refused | null
}

export type Labels = Record<string, string>

export type Refused = { status: number; why: string; conflicts: FieldConflict[] }

export type Service = { kind: 'Service'; metadata: Metadata; spec?: { selector?: Labels; type?: string } }

type PolicyPeer = {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr: string; except?: string[] }
}

export type PolicyRule = {
  to?: PolicyPeer[]
  from?: PolicyPeer[]
  ports?: { protocol?: string; port?: number | string }[]
}

export type Policy = {
  kind: 'NetworkPolicy'
  metadata: Metadata
  spec: { podSelector?: LabelSelector; policyTypes?: string[]; egress?: PolicyRule[]; ingress?: PolicyRule[] }
}

export type Budget = {
  kind: 'PodDisruptionBudget'
  metadata: Metadata
  spec: { selector?: LabelSelector; minAvailable?: number | string; maxUnavailable?: number | string }
}

export type Quota = {
  metadata: Metadata
  spec?: { hard?: Labels; scopes?: string[]; scopeSelector?: object }
  status?: { hard?: Labels; used?: Labels }
}

export type Claim = { metadata: Metadata; spec?: { accessModes?: string[] } }

export type ClusterNode = {
  metadata: Metadata
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] }
  status?: { allocatable?: Labels; conditions?: Condition[] }
}

/** What may be done to which resources. `without`: what becomes of a rollout that may not. */
export type Right = {
  level: 'stop' | 'note'
  verbs: string[]
  group: string
  resource: string
  subresource?: string
  name?: string
  /** Absent: that of the tenant; '': the whole cluster. */
  namespace?: string
  without: string
}

export const mayMakePods = ({ missing }: Pick<Sight, 'missing'>): boolean => mayDo(missing, 'create')

export const mayAskPods = ({ missing }: Pick<Sight, 'missing'>): boolean => mayDo(missing, 'get', 'exec')

const mayDo = (missing: readonly Right[], verb: string, subresource?: string): boolean =>
  !missing.some(it => it.resource === 'pods' && it.subresource === subresource && it.verbs.includes(verb))
