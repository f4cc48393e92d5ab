import type { K8Sv1 } from '@scaleway/sdk'
import type { Scaleway } from './client.ts'
import { sharedAddresses, withoutMask } from './ipam-address.ts'

/** `address`: its private IPv4; null while it has none. */
export type PoolNode = { name: string; address: string | null }

/** The nodes of all pools of a cluster. */
export const sharedNodes = ({ lists, k8s }: Scaleway, clusterId: string): Promise<K8Sv1.Node[]> =>
  lists.shared(`node ${clusterId}`, () => k8s.listNodes({ clusterId }).all())

/** The nodes of a pool, sorted. A node does not tell its private address: IPAM does, by the node's name. */
export const listNodes = async (scaleway: Scaleway, clusterId: string, poolId: string): Promise<PoolNode[]> => {
  const [nodes, addresses] = await Promise.all([sharedNodes(scaleway, clusterId), sharedAddresses(scaleway)])
  return nodes
    .filter(it => it.poolId === poolId)
    .map(({ name }) => {
      const found = addresses.find(
        ({ resource }) => resource?.type === 'instance_private_nic' && resource.name === name,
      )
      return { name, address: found ? withoutMask(found.address) : null }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
