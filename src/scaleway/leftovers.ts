import type { Instancev1, Vpcgwv2 } from '@scaleway/sdk'
import type { Scaleway, Zoned } from './client.ts'
import { listClusters } from './cluster.ts'
import { listPools } from './pool-api.ts'
import { orNull } from './problems.ts'
import { ourVolumes } from './root-volume.ts'
import { listServers } from './server-find.ts'
import { ourKeys } from './ssh-key.ts'
import { contextIn, contextTag, isOurs, nameIn } from './tags.ts'
import { inZones } from './zones.ts'

/**
 * Something of this context that stands at Scaleway. `tagged` is false for what only its parent shows to be ours;
 * `parent`: that parent's id.
 */
export type Owned = {
  kind: OwnedKind
  id: string
  name: string
  tagged: boolean
  zone?: string
  parent?: string
}
export type OwnedKind = keyof typeof zoned

/** In the documented order of destruction: is its zone needed to find it again? */
const zoned = {
  pool: false,
  cluster: false,
  server: true,
  'root-volume': true,
  'flexible-ip': true,
  'security-group': true,
  'gateway-network': true,
  gateway: true,
  'gateway-ip': true,
  'ipam-address': false,
  'private-network': false,
  vpc: false,
  'ssh-key': false,
}

export type Thing = {
  id: string
  name?: string
  tags?: string[]
  zone?: string
  cluster_id?: string
  gatewayId?: string
}

/** Things of one kind as what this context owns. */
export const ownedOf = (kind: OwnedKind, all: readonly Thing[], tagged = true): Owned[] =>
  all.map(it => {
    const parent = it.cluster_id ?? (kind === 'gateway-network' ? it.gatewayId : undefined)
    return {
      kind,
      id: it.id,
      name: nameIn(it.tags ?? []) || it.name || it.id,
      tagged: tagged && (kind !== 'pool' || nameIn(it.tags ?? []) !== ''),
      ...(zoned[kind] && it.zone && { zone: it.zone }),
      ...(parent && { parent }),
    }
  })

/** Everything this context made and that is still there, in the order in which it can go. Only looks. */
export const listOwned = async (scaleway: Scaleway): Promise<Owned[]> => {
  const { projectId, context, vpc, ipam } = scaleway
  const tags = [contextTag(context)]
  // What a zone of the past has kept is ours as well.
  const everywhere = <T>(api: Zoned, list: (here: Scaleway) => Promise<T[]>) =>
    inZones(scaleway, scaleway.zonesOf(api), list)
  const mine = <T extends { tags: string[] }>(all: T[]) => all.filter(it => isOurs(scaleway, it))
  const of = ownedOf
  const [all, servers, volumes, ips, groups, gateways, gatewayIps, addresses, networks, vpcs, keys] = await Promise.all(
    [
      listClusters(scaleway),
      everywhere('instance', listServers).then(mine),
      everywhere('instance', ourVolumes),
      everywhere('instance', ({ instance }) => instance.listIps({ project: projectId, tags }).all()).then(mine),
      everywhere('instance', ({ instance }) => instance.listSecurityGroups({ project: projectId, tags }).all()).then(
        mine,
      ),
      everywhere('gateway', ({ gateway }) => gateway.listGateways({ projectId, tags }).all()).then(mine),
      everywhere('gateway', ({ gateway }) => gateway.listIPs({ projectId, tags }).all()).then(mine),
      ipam.listIPs({ projectId, tags }).all().then(mine),
      vpc.listPrivateNetworks({ projectId, tags }).all().then(mine),
      vpc.listVPCs({ projectId, tags }).all().then(mine),
      ourKeys(scaleway),
    ],
  )
  const clusters = mine(all)
  const strays = await untaggedHolders(scaleway, ips, servers)
  const [pools, legs] = await Promise.all([
    // A pool of ours may live in a cluster that is not.
    Promise.all(all.map(async it => poolsOf(scaleway, it, await listPools(scaleway, it.id)))),
    everywhere('gateway', here => legsOf(here, gateways, networks)),
  ])
  // The volumes of our servers go with them; a volume alone is what a crash left.
  const held = new Set(servers.flatMap(it => Object.values(it.volumes).map(volume => volume.id)))
  return [
    ...of('pool', pools.flat()),
    ...of('cluster', clusters),
    ...of('server', servers),
    ...strays,
    ...of(
      'root-volume',
      volumes.filter(it => !held.has(it.id)),
    ),
    ...of('flexible-ip', ips),
    ...of('security-group', groups),
    ...of('gateway-network', legs, false),
    ...of('gateway', gateways),
    ...of('gateway-ip', gatewayIps),
    ...of('ipam-address', addresses),
    ...of('private-network', networks),
    ...of('vpc', vpcs),
    ...of('ssh-key', keys),
  ]
}

/** A server that was made and never tagged: it has our address, and the name that the address was booked for. */
const untaggedHolders = async (
  scaleway: Scaleway,
  ips: readonly Instancev1.Ip[],
  servers: readonly Thing[],
): Promise<Owned[]> => {
  const held = ips.filter(it => it.server && !servers.some(({ id }) => id === it.server?.id))
  const found = await Promise.all(
    held.map(async ({ server, tags, zone }) => {
      const { instance } = scaleway.at(zone)
      const there = (await orNull(instance.getServer({ serverId: server?.id ?? '' })))?.server
      const name = nameIn(tags)
      if (!there || there.name !== name || contextIn(there.tags) !== undefined) return []
      return [{ kind: 'server' as const, id: there.id, name, tagged: false, zone }]
    }),
  )
  return found.flat()
}

/** All of a cluster that is ours; of another one only what carries our tags. */
const poolsOf = <T extends { tags: string[] }>(scaleway: Scaleway, cluster: { tags: string[] }, pools: T[]): T[] =>
  isOurs(scaleway, cluster) ? pools : pools.filter(it => isOurs(scaleway, it))

/** A leg has no tags: it is ours when its gateway or its network is. When both are somebody else's, so is the leg. */
const legsOf = async (here: Scaleway, gateways: Thing[], networks: Thing[]): Promise<Vpcgwv2.GatewayNetwork[]> => {
  const gatewayIds = gateways.filter(it => it.zone === here.zone).map(it => it.id)
  const privateNetworkIds = networks.map(it => it.id)
  const asked = [
    // An empty filter would be none at all.
    ...(gatewayIds.length > 0 ? [here.gateway.listGatewayNetworks({ gatewayIds }).all()] : []),
    ...(privateNetworkIds.length > 0 ? [here.gateway.listGatewayNetworks({ privateNetworkIds }).all()] : []),
  ]
  const found = (await Promise.all(asked))
    .flat()
    .filter(it => gatewayIds.includes(it.gatewayId) || privateNetworkIds.includes(it.privateNetworkId))
  return [...new Map(found.map(it => [it.id, it])).values()]
}
