import type { Scaleway } from './client.ts'
import { sharedClusters } from './cluster.ts'
import type { Existing } from './existing.ts'
import { sharedFlexibleIps } from './flexible-ip.ts'
import { sharedGateways } from './gateway.ts'
import { sharedGatewayIps } from './gateway-ip.ts'
import { sharedGatewayNetworks } from './gateway-network.ts'
import { sharedAddresses } from './ipam-address.ts'
import { type Owned, ownedOf } from './leftovers.ts'
import { sharedPools } from './pool.ts'
import { sharedNetworks } from './private-network.ts'
import { sharedGroups } from './security-group.ts'
import { sharedServers } from './server.ts'
import { ourKeys, sharedKeys } from './ssh-key.ts'
import { isOurs } from './tags.ts'
import { sharedVpcs } from './vpc.ts'

/**
 * What this context made, from the lists that a plan asks for anyway: beside one it costs no call. It looks only in
 * the zones that the context uses, and not for volumes; `listOwned` sees everything. `adopted`: a cluster of others in
 * which pools are ours.
 */
export const listKnown = async (scaleway: Scaleway, adopted: Existing = {}): Promise<Owned[]> => {
  const mine = <T extends { tags: string[] }>(all: T[]) => all.filter(it => isOurs(scaleway, it))
  const [all, gateways, servers, ips, groups, gatewayIps, addresses, networks, vpcs, keys] = await Promise.all([
    sharedClusters(scaleway),
    sharedGateways(scaleway).then(mine),
    sharedServers(scaleway).then(mine),
    sharedFlexibleIps(scaleway).then(mine),
    sharedGroups(scaleway).then(mine),
    sharedGatewayIps(scaleway).then(mine),
    sharedAddresses(scaleway).then(mine),
    sharedNetworks(scaleway).then(mine),
    sharedVpcs(scaleway).then(mine),
    ourKeys(scaleway, sharedKeys(scaleway)),
  ])
  const clusters = mine(all)
  const [around] = all.filter(it => !isOurs(scaleway, it) && (it.id === adopted.id || it.name === adopted.name))
  const [pools, inOthers, legs] = await Promise.all([
    Promise.all(clusters.map(it => sharedPools(scaleway, it.id))),
    around ? sharedPools(scaleway, around.id).then(mine) : [],
    Promise.all(gateways.map(({ id, zone }) => sharedGatewayNetworks(scaleway.at(zone), id))),
  ])
  return [
    ...ownedOf('pool', [...pools.flat(), ...inOthers]),
    ...ownedOf('cluster', clusters),
    ...ownedOf('server', servers),
    ...ownedOf('flexible-ip', ips),
    ...ownedOf('security-group', groups),
    ...ownedOf('gateway-network', legs.flat(), false),
    ...ownedOf('gateway', gateways),
    ...ownedOf('gateway-ip', gatewayIps),
    ...ownedOf('ipam-address', addresses),
    ...ownedOf('private-network', networks),
    ...ownedOf('vpc', vpcs),
    ...ownedOf('ssh-key', keys),
  ]
}
