import type { KubeObject } from '../kube/object.ts'
import type { Lists } from './shared-lists.ts'

/** Kinds that not every cluster has. In the order in which one of them is taken, where the same things have several. */
type Sort = { groups: string[]; kinds: { [kind: string]: 'namespaced' | 'cluster' } }

const POLICIES: Sort[] = [
  {
    groups: ['cilium.io/v2'],
    kinds: { CiliumNetworkPolicy: 'namespaced', CiliumClusterwideNetworkPolicy: 'cluster' },
  },
  {
    groups: ['projectcalico.org/v3', 'crd.projectcalico.org/v1'],
    kinds: { NetworkPolicy: 'namespaced', GlobalNetworkPolicy: 'cluster' },
  },
  {
    groups: ['policy.networking.k8s.io/v1alpha1'],
    kinds: { AdminNetworkPolicy: 'cluster', BaselineAdminNetworkPolicy: 'cluster' },
  },
  {
    groups: ['policy.networking.k8s.io/v1', 'policy.networking.k8s.io/v1beta1', 'policy.networking.k8s.io/v1alpha2'],
    kinds: { ClusterNetworkPolicy: 'cluster' },
  },
]

const SCALERS: Sort[] = [
  { groups: ['autoscaling/v2'], kinds: { HorizontalPodAutoscaler: 'namespaced' } },
  { groups: ['autoscaling.k8s.io/v1'], kinds: { VerticalPodAutoscaler: 'namespaced' } },
  { groups: ['keda.sh/v1alpha1'], kinds: { ScaledObject: 'namespaced' } },
]

/** What a namespace has of them, by what the cluster serves. */
export const readForeign = async (
  lists: Lists,
  served: readonly string[],
  namespace: string,
): Promise<{ policies: KubeObject[]; scalers: KubeObject[] }> => {
  const read = async (sorts: Sort[]) => {
    const asked = sorts.flatMap(({ groups, kinds }) => {
      const apiVersion = groups.find(it => served.includes(it))
      if (apiVersion === undefined) return []
      return Object.entries(kinds).map(async ([kind, scope]) => {
        const where = scope === 'namespaced' ? { namespace } : {}
        return (await lists.list<KubeObject>({ apiVersion, kind, ...where })).items
      })
    })
    return (await Promise.all(asked)).flat()
  }
  const [policies, scalers] = await Promise.all([read(POLICIES), read(SCALERS)])
  return { policies, scalers }
}
