import type { Context } from '../inventory/context.ts'
import { nameOf } from '../scaleway/existing.ts'

/** A cluster that others made outlives us, and what we put into it with it. */
export const clusterStays = ({ cluster }: Context): boolean =>
  cluster.kubeconfig !== undefined || cluster.existing !== undefined

/** What is in use here and was made by others, or made by us where destroy does not reach; and why it stays. */
export const staying = (context: Context): [what: string, why: string][] => {
  const { network, gateway, cluster, tenants } = context
  const adopted = [
    ['VPC', typeof network.vpc === 'object' ? network.vpc.existing : undefined],
    ['private network', network.privateNetwork.existing],
    ['gateway', gateway.existing],
    ['cluster', cluster.existing],
  ] as const
  return [
    ...adopted.flatMap(([what, existing]): [string, string][] =>
      existing ? [[`${what} ${nameOf(existing)}`, 'adopted: it was there before us']] : [],
    ),
    ...(cluster.kubeconfig
      ? ([[`the cluster of ${cluster.kubeconfig}`, 'it was there before us']] as [string, string][])
      : []),
    ...(clusterStays(context) ? tenants : []).map(({ namespace, workloads }): [string, string] => {
      const demos = workloads.filter(it => it.demo).map(it => it.name)
      const made = demos.length > 0 ? ` with ${demos.join(', ')}, which we made` : ''
      return [`namespace ${namespace}${made}`, `delete it with kubectl delete namespace ${namespace}`]
    }),
  ]
}
