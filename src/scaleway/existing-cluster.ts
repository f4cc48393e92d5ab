import type { K8Sv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import { type ClusterLive, listClusters, live } from './cluster.ts'
import { type ExistingWant, existingKind } from './existing.ts'

/** `privateNetworkId`: the network that the proxies are in. */
export type ExistingClusterWant = ExistingWant & { privateNetworkId: string }

/** A Kapsule cluster that somebody else made. The pools of our tenants in it are ours. */
export const existingClusterKind = existingKind<ExistingClusterWant, K8Sv1.Cluster, ClusterLive>({
  kind: 'existing-cluster',
  what: 'cluster',
  list: listClusters,
  live,
  misfit({ privateNetworkId }, cluster) {
    if (cluster.privateNetworkId !== privateNetworkId)
      return {
        why: `it is in the private network ${cluster.privateNetworkId ?? 'of nobody'}, the proxies are in ${privateNetworkId}`,
        next: 'adopt its network too: network.privateNetwork.existing, with its id',
      }
    if (['locked', 'deleting', 'deleted'].includes(cluster.status))
      return { why: `it is ${cluster.status}`, next: 'name another one, or leave existing out' }
    return null
  },
})
export const existingCluster = word(existingClusterKind)
