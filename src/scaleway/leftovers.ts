import type { Scaleway } from './client.ts'
import { listClusters } from './cluster.ts'
import { listPools } from './pool-api.ts'
import { ourVolumes } from './root-volume.ts'
import { listServers } from './server-make.ts'
import { ourKeys } from './ssh-key.ts'
import { contextTag, isOurs, nameIn } from './tags.ts'
import { inZones, type Zoned } from './zones.ts'

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
export type OwnedKind = (typeof order)[number]

/** The documented order of destruction. */
const order = [
  'pool',
  'cluster',
  'server',
  'root-volume',
  'flexible-ip',
  'security-group',
  'gateway-network',
  'gateway',
  'gateway-ip',
  'ipam-address',
  'private-network',
  'vpc',
  'ssh-key',
] as const

/** Where a zone is needed to find it again. */
const zoned: ReadonlySet<OwnedKind> = new Set([
  'server',
  'root-volume',
  'flexible-ip',
  'security-group',
  'gateway-network',
  'gateway',
  'gateway-ip',
])

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
      ...(zoned.has(kind) && it.zone && { zone: it.zone }),
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
  const [clusters, servers, volumes, ips, groups, gateways, gatewayIps, addresses, networks, vpcs, keys] =
    await Promise.all([
      listClusters(scaleway).then(mine),
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
    ])
  const [pools, legs] = await Promise.all([
    Promise.all(clusters.map(it => listPools(scaleway, it.id))),
    Promise.all(
      gateways.map(({ id, zone }) =>
        scaleway
          .at(zone)
          .gateway.listGatewayNetworks({ gatewayIds: [id] })
          .all(),
      ),
    ),
  ])
  // The volumes of our servers go with them; a volume alone is what a crash left.
  const held = new Set(servers.flatMap(it => Object.values(it.volumes).map(volume => volume.id)))
  return [
    ...of('pool', pools.flat()),
    ...of('cluster', clusters),
    ...of('server', servers),
    ...of(
      'root-volume',
      volumes.filter(it => !held.has(it.id)),
    ),
    ...of('flexible-ip', ips),
    ...of('security-group', groups),
    ...of('gateway-network', legs.flat(), false),
    ...of('gateway', gateways),
    ...of('gateway-ip', gatewayIps),
    ...of('ipam-address', addresses),
    ...of('private-network', networks),
    ...of('vpc', vpcs),
    ...of('ssh-key', keys),
  ]
}
