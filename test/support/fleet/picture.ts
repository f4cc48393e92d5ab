import type { Kube } from '../../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'

const kinds = [
  ['apps/v1', 'Deployment'],
  ['v1', 'ConfigMap'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['v1', 'Service'],
  ['v1', 'Pod'],
  ['v1', 'Secret'],
  ['discovery.k8s.io/v1', 'EndpointSlice'],
  ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy'],
  ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding'],
] as const

/**
 * Every object of the cluster that a rollout could touch, field by field, without what differs from one time to the next: names of pods, times,
 * versions. `counted`: how often its spec and template have changed belongs to it.
 */
export const picture = async (kube: Kube, { counted = true } = {}): Promise<string[]> => {
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => kube.list<KubeObject>({ apiVersion, kind })))
  return lists.flatMap(({ items }) => items.map(it => bare(it, counted))).sort()
}

const bare = ({ metadata, status, ...rest }: KubeObject, counted: boolean): string => {
  const { name, namespace, labels, annotations = {}, managedFields = [], generation } = metadata
  const { 'deployment.kubernetes.io/revision': revision, ...others } = annotations as Record<string, string>
  const isPod = rest.kind === 'Pod'
  const owned = managedFields
    .filter(it => !it.subresource)
    .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }))
  const { replicas, readyReplicas, updatedReplicas, phase } = (status ?? {}) as Record<string, unknown>
  return JSON.stringify({
    ...rest,
    ...(isPod ? { name: String(name).replace(/-\w+-\w+$/, '') } : { name, owned }),
    ...{ namespace, labels, annotations: others, status: { replicas, readyReplicas, updatedReplicas, phase } },
    ...(counted && !isPod && { generation, revision }),
  })
}
