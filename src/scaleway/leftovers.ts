import type { Scaleway } from './client.ts'
import { listClusters, removeCluster } from './cluster.ts'
import { removeFlexibleIp } from './flexible-ip.ts'
import { removeGatewayIp } from './gateway-ip.ts'
import { removeGateway, removeGatewayNetwork } from './gateway-remove.ts'
import { removeIpamAddress } from './ipam-address.ts'
import type { Waiter } from './poll.ts'
import { removePool } from './pool.ts'
import { listPools } from './pool-api.ts'
import { removePrivateNetwork } from './private-network.ts'
import { ourVolumes, removeVolume } from './root-volume.ts'
import { removeSecurityGroup } from './security-group.ts'
import { listServers } from './server-make.ts'
import { removeServer } from './server-remove.ts'
import { ourKeys, removeSshKey } from './ssh-key.ts'
import { contextTag, isOurs, nameIn } from './tags.ts'
import { removeVpc } from './vpc.ts'
import { inZones, type Zoned } from './zones.ts'

/** Something of this context that stands at Scaleway. `tagged` is false for what only its parent shows to be ours. */
export type Owned = { kind: OwnedKind; id: string; name: string; tagged: boolean; zone?: string }
export type OwnedKind = (typeof order)[number]

/** The documented order of destruction; the same kind may go in parallel. */
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

type Thing = { id: string; name?: string; tags?: string[]; zone?: string }

/** Everything this context made and that is still there, in the order in which it can go. Only looks. */
export const listOwned = async (scaleway: Scaleway): Promise<Owned[]> => {
  const { projectId, context, vpc, ipam } = scaleway
  const tags = [contextTag(context)]
  // What a zone of the past has kept is ours as well.
  const everywhere = <T>(api: Zoned, list: (here: Scaleway) => Promise<T[]>) =>
    inZones(scaleway, scaleway.zonesOf(api), list)
  const mine = <T extends { tags: string[] }>(all: T[]) => all.filter(it => isOurs(scaleway, it))
  const of = (kind: OwnedKind, all: Thing[], tagged = true): Owned[] =>
    all.map(it => ({
      kind,
      id: it.id,
      name: nameIn(it.tags ?? []) || it.name || it.id,
      tagged,
      ...(zoned.has(kind) && it.zone && { zone: it.zone }),
    }))
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
  const [pools, legs, booked] = await Promise.all([
    Promise.all(clusters.map(it => listPools(scaleway, it.id))),
    Promise.all(
      gateways.map(({ id, zone }) =>
        scaleway
          .at(zone)
          .gateway.listGatewayNetworks({ gatewayIds: [id] })
          .all(),
      ),
    ),
    // Reservations in our networks that nobody uses and nobody tagged: they would keep the network alive.
    Promise.all(networks.map(it => ipam.listIPs({ privateNetworkId: it.id, attached: false }).all())),
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
    ...of(
      'ipam-address',
      booked.flat().filter(it => !it.resource && !addresses.some(({ id }) => id === it.id)),
      false,
    ),
    ...of('private-network', networks),
    ...of('vpc', vpcs),
    ...of('ssh-key', keys),
  ]
}

const removals: Record<OwnedKind, (scaleway: Scaleway, owned: Owned, report: Waiter) => Promise<void>> = {
  pool: (scaleway, { id }, report) => removePool(scaleway, id, report),
  cluster: (scaleway, { id }, report) => removeCluster(scaleway, id, report),
  server: (scaleway, { id, name }, report) => removeServer(scaleway, id, name, report),
  'root-volume': (scaleway, { id }, report) => removeVolume(scaleway, id, report),
  'flexible-ip': (scaleway, { id }) => removeFlexibleIp(scaleway, id),
  'security-group': (scaleway, { id }, report) => removeSecurityGroup(scaleway, id, report),
  'gateway-network': (scaleway, { id }, report) => removeGatewayNetwork(scaleway, id, report),
  gateway: (scaleway, { id }, report) => removeGateway(scaleway, id, report),
  'gateway-ip': (scaleway, { id }, report) => removeGatewayIp(scaleway, id, report),
  'ipam-address': (scaleway, { id }, report) => removeIpamAddress(scaleway, id, report),
  'private-network': (scaleway, { id }, report) => removePrivateNetwork(scaleway, id, report),
  vpc: (scaleway, { id }, report) => removeVpc(scaleway, id, report),
  'ssh-key': (scaleway, { id }) => removeSshKey(scaleway, id),
}

export const removeOwned = (scaleway: Scaleway, owned: Owned, report: Waiter): Promise<void> =>
  removals[owned.kind](scaleway.at(owned.zone), owned, report)

/** Takes all of it away, kind after kind, the same kind in parallel. Safe to interrupt and to repeat. */
export const removeAll = async (scaleway: Scaleway, all: Owned[], report: Waiter): Promise<void> => {
  for (const kind of order)
    await Promise.all(all.filter(it => it.kind === kind).map(it => removeOwned(scaleway, it, report)))
}
