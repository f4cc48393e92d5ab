import type { Ipamv1, K8Sv1 } from '@scaleway/sdk'
import type { Scaleway } from './client.ts'
import { allAddresses, sharedAddresses, withoutMask } from './ipam-address.ts'

/** `address`: its private IPv4; null while it has none. */
export type PoolNode = { name: string; address: string | null }

const allNodes = ({ lists, k8s }: Scaleway, clusterId: string): Promise<K8Sv1.Node[]> =>
  lists.next(`node ${clusterId}`, () => k8s.listNodes({ clusterId }).all())

/** The nodes of all pools of a cluster. */
export const sharedNodes = (scaleway: Scaleway, clusterId: string): Promise<K8Sv1.Node[]> =>
  scaleway.lists.shared(`node ${clusterId}`, () => allNodes(scaleway, clusterId))

/** The nodes of a pool, as a plan reads them. */
export const listNodes = async (scaleway: Scaleway, clusterId: string, poolId: string): Promise<PoolNode[]> =>
  nodesOf(poolId, ...(await Promise.all([sharedNodes(scaleway, clusterId), sharedAddresses(scaleway)])))

/** The same as they are now: what was listed a moment ago may lack those that have just come up. */
export const listNodesNow = async (scaleway: Scaleway, clusterId: string, poolId: string): Promise<PoolNode[]> =>
  nodesOf(poolId, ...(await Promise.all([allNodes(scaleway, clusterId), allAddresses(scaleway)])))

/** Sorted. A node does not tell its private address: IPAM does, by the node's name. */
const nodesOf = (poolId: string, nodes: K8Sv1.Node[], addresses: Ipamv1.IP[]): PoolNode[] =>
  nodes
    .filter(it => it.poolId === poolId)
    .map(({ name }) => {
      const found = addresses.find(
        ({ resource }) => resource?.type === 'instance_private_nic' && resource.name === name,
      )
      return { name, address: found ? withoutMask(found.address) : null }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
