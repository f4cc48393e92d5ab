import type { Scaleway } from './client.ts'
import { withoutMask } from './ipam-address.ts'

/** `address`: its private IPv4; null while it has none. */
export type PoolNode = { name: string; address: string | null }

/** The nodes of a pool, sorted. A node does not tell its private address: IPAM does, by the node's name. */
export const listNodes = async (scaleway: Scaleway, clusterId: string, poolId: string): Promise<PoolNode[]> => {
  const { lists, k8s, ipam, projectId } = scaleway
  const [nodes, addresses] = await Promise.all([
    lists.shared(`node ${clusterId}`, () => k8s.listNodes({ clusterId }).all()),
    lists.shared('nic-address', () =>
      ipam.listIPs({ projectId, resourceType: 'instance_private_nic', isIpv6: false }).all(),
    ),
  ])
  return nodes
    .filter(it => it.poolId === poolId)
    .map(({ name }) => {
      const found = addresses.find(it => it.resource?.name === name)
      return { name, address: found ? withoutMask(found.address) : null }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
