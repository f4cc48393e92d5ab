import type { Kube } from '../kube/kube.ts'
import { isLeaving, isReady, type Pod, queryOf } from '../workload.ts'
import { GATEWAY_NAMESPACE, gatewayLabels } from './manifests.ts'

/** A pod of a tenant's gateway. `ready`: it decides by a policy and gets connections. */
type GatewayPodSeen = {
  name: string
  namespace: string
  ip: string
  node: string
  ready: boolean
  leaving: boolean
}

/** The pods of a tenant's gateway, by name; those on their way out have logs, too. */
export const gatewayPods = async (kube: Kube, tenant: string): Promise<GatewayPodSeen[]> => {
  const labelSelector = queryOf({ matchLabels: gatewayLabels(tenant) })
  const { items } = await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace: GATEWAY_NAMESPACE, labelSelector })
  return items
    .map(it => ({
      name: it.metadata.name,
      namespace: GATEWAY_NAMESPACE,
      ip: it.status?.podIP ?? '',
      node: it.spec.nodeName ?? '',
      ready: !isLeaving(it) && isReady(it),
      leaving: isLeaving(it),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
