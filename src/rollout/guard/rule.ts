import { MANAGER } from '../kube/kube.ts'
import { isObject, type KubeObject } from '../kube/object.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { MANAGED_BY } from '../tenancy.ts'

/** What an object is judged against. */
export type Ground = {
  /** CIDRs of pods and Services, which no request reaches by the proxy; absent: not known here. */
  inside?: readonly string[]
  /** How pods call the proxies: addresses, the Service's name; absent: any proxy is ours. */
  proxies?: readonly string[]
}

export type Variable = { name: string; value?: string }

export type GuardedContainer = {
  name: string
  env?: Variable[]
  securityContext?: { privileged?: boolean; capabilities?: { add?: string[] } }
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
}

type GuardedPod = {
  labels: Record<string, string>
  hostNetwork: boolean
  containers: GuardedContainer[]
  volumes: { name: string; hostPath?: { path: string } }[]
}

/** An object with what rules ask of it. `pod`: what its pods are made from; null: it makes none. */
type Spotted = {
  object: KubeObject
  pod: GuardedPod | null
  ground: Ground
  /** Ours by its label, or in the namespace where only ours is. */
  ours: boolean
  /** Ours, or its pods carry the label by which traffic leaves by the proxy. */
  forEgress: boolean
}

/** `what` is forbidden, and `look` answers where it is, one sentence each. */
export type Rule = {
  what: string
  next: string
  look: (it: Spotted) => string[]
  /** A rollout of the workload puts it right. */
  mends?: true
}

/** Only what this product made is in it. */
export const OWN_NAMESPACE = 'egress-system'

export const spot = (object: KubeObject, ground: Ground): Spotted => {
  const pod = podOf(object)
  const { labels, namespace } = object.metadata
  const ours = labels?.[MANAGED_BY] === MANAGER || namespace === OWN_NAMESPACE
  const moved = pod?.labels[EGRESS_LABEL.key] === EGRESS_LABEL.value
  return { object, pod, ground, ours, forEgress: ours || moved }
}

const podOf = (object: KubeObject): GuardedPod | null => {
  const template = object.kind === 'Pod' ? object : at(object, templates[object.kind] ?? ['spec', 'template'])
  const spec = at(template, ['spec'])
  if (!isObject(spec) || !(object.kind === 'Pod' || isObject(template))) return null
  const { hostNetwork, volumes } = spec
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap(it => listed(spec[it]))
  const labels = at(template, ['metadata', 'labels'])
  return {
    labels: (isObject(labels) ? labels : {}) as Record<string, string>,
    hostNetwork: hostNetwork === true,
    containers: containers as unknown as GuardedContainer[],
    volumes: listed(volumes) as GuardedPod['volumes'],
  }
}

const templates: Record<string, string[]> = { CronJob: ['spec', 'jobTemplate', 'spec', 'template'] }

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((it, step) => (isObject(it) ? it[step] : undefined), value)

const listed = (value: unknown): object[] => (Array.isArray(value) ? value.filter(isObject) : [])
