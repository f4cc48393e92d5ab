import type { Instancev1, Ipamv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind, Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, field, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { compareUserData, type ServerClients, serverClientsAt } from './cloud-init.ts'
import { listAddresses, sharedAddresses, withoutMask } from './ipam-address.ts'
import { orNull } from './problems.ts'
import { clearWay } from './replaced.ts'
import { removeStrayVolumes, volumeIdsOf } from './root-volume.ts'
import { isLeaving, listServers, type ServerWant, stayingServer, untaggedServer } from './server-find.ts'
import { bringServer, createServer } from './server-make.ts'
import { removeServer } from './server-remove.ts'
import { isOurs, lostTags, tagChange, theOne, type Untagged } from './tags.ts'
import { findZoned, listHere } from './zones.ts'

export type ServerLive = Untagged & {
  id: string
  name: string
  type: string
  state: string
  nicId: string | null
  ipamIpId: string | null
  privateIp: string | null
  flexibleIpId: string | null
  publicIp: string | null
  /** The other public addresses, sorted; absent: none. */
  moreFlexibleIpIds?: string[]
  securityGroupId: string | null
  protected?: boolean
  /** The public host key, out of the user data: known before the first connection. */
  hostKey: string | null
  userDataSha: string | null
  userDataIsCurrent: boolean
  zone?: string
}

/** A server with its private NIC and root volume, which live and die with it. Known by its tags. */
export const serverKind: Kind<ServerWant, ServerLive, ServerClients> = {
  name: 'server',
  async ahead(clients) {
    const servers = (await sharedServers(clients)).filter(it => isOurs(clients, it))
    await Promise.all([
      sharedAddresses(clients),
      ...servers.map(({ id, zone }) => sharedUserData(serverClientsAt(clients, zone), id)),
    ])
  },
  takes: { create: 10, update: 10, replace: 25, delete: 15 },
  async read(want, clients) {
    const pick = (all: Instancev1.Server[]) => theOne(clients, 'server', want.name, all)
    const found =
      (await findZoned(clients, 'instance', 'server', listServers, pick)) ??
      (await untaggedServer(serverClientsAt(clients, want.zone), want))
    if (!found || isLeaving(found)) return null
    const there = serverClientsAt(clients, found.zone)
    const [addresses, text] = await Promise.all([sharedAddresses(clients), sharedUserData(there, found.id)])
    return see(clients, want, found, addresses, text)
  },
  diff(want, live) {
    const what = `server ${want.name}`
    if (!live) return create(`${what} ${want.type}`)
    if (live.state === 'locked')
      throw new Problem(`${what} is locked`, {
        why: 'Scaleway locked it; it can be neither changed nor deleted',
        next: 'ask Scaleway why, or take the tenant out of the inventory',
      })
    return replacement(want, live) ?? inPlace(want, live)
  },
  async apply(want, elsewhere, before, report) {
    const clients = serverClientsAt(elsewhere, want.zone)
    // The flexible IP and the booked address are resources of their own and stay.
    const moved = await clearWay(before, before && replacement(want, before), report, id =>
      letGo(elsewhere.at(before?.zone), id, want, report),
    )
    let server = await stayingServer(clients, want, report, moved)
    const change = server && replacement(want, await seeNow(clients, want, server))
    const stays = await clearWay(server, change, report, id => letGo(clients, id, want, report))
    if (change) server = null
    server ??= await createServer(clients, want, report, it => moved(it) && stays(it))
    await removeStrayVolumes(clients, want.name, volumeIdsOf(server), report)
    const done = await bringServer(clients, want, server, report)
    return seeNow(clients, want, done)
  },
  async undo(want, elsewhere, before, now, report) {
    const clients = serverClientsAt(elsewhere, before?.zone ?? now?.zone ?? want.zone)
    if (before) {
      if (now && now.id !== before.id)
        throw new Problem(`server ${want.name} cannot be brought back`, {
          why: `it was replaced: ${before.id} is gone, ${now.id} took its place and its addresses`,
          next: 'put the old values back into the inventory and deploy',
        })
      const { server } = await clients.instance.getServer({ serverId: before.id })
      if (!server) return
      const { privateNetworkId, cloudInit, image, name, type } = want
      const { ipamIpId, flexibleIpId, moreFlexibleIpIds = [], securityGroupId } = before
      const addresses = { flexibleIpId, moreFlexibleIpIds }
      const old = { name, type, image, privateNetworkId, cloudInit, ...addresses, protected: before.protected ?? false }
      await bringServer(
        clients,
        { ...old, ipamIpId: ipamIpId ?? want.ipamIpId, securityGroupId: securityGroupId ?? want.securityGroupId },
        server,
        report,
      )
      return
    }
    const id = now?.id ?? theOne(clients, 'server', want.name, await listServers(clients))?.id
    if (id) await removeServer(clients, id, want.name, report)
    await removeStrayVolumes(clients, want.name, [], report)
  },
}
export const server = word(serverKind)

/** Away with the old one. The plan refuses where the inventory protects it; where it no longer does, so be it. */
const letGo = async (here: Scaleway, serverId: string, want: ServerWant, report: Report): Promise<void> => {
  const there = await orNull(here.instance.getServer({ serverId }))
  if (there?.server?.protected && !want.protected) await here.instance.updateServer({ serverId, protected: false })
  await removeServer(here, serverId, want.name, report)
}

/** What no change can mend. User data counts, as a server reads it at its first boot only. */
const replacement = (want: ServerWant, live: ServerLive): Change | null => {
  const neverBooted = live.userDataSha === null && live.state === 'stopped'
  const type = 'a type changes only while the server is off: a new one takes over its addresses sooner'
  const old = { name: 'user data', action: 'update', diff: 'user data: no longer what it was made with' } as const
  return replace(`server ${want.name}`, [
    fixed('zone', live.zone, want.zone ?? live.zone, 'a server cannot move to another zone'),
    fixed('type', live.type.toUpperCase(), want.type.toUpperCase(), type),
    live.userDataIsCurrent || neverBooted ? null : { detail: old, why: 'user data is read at the first boot only' },
  ])
}

const inPlace = (want: ServerWant, live: ServerLive): Change | null => {
  const unreachable = [
    field('state', live.state, 'running'),
    field('private address', live.ipamIpId, want.ipamIpId),
    field('flexible ip', live.flexibleIpId, want.flexibleIpId),
    field('more flexible ips', joined(live.moreFlexibleIpIds), joined(want.moreFlexibleIpIds)),
  ]
  const rest = [
    field('name', live.name, want.name),
    field('security group', live.securityGroupId, want.securityGroupId),
    field('protected', live.protected ?? false, want.protected ?? false),
    tagChange(live),
  ]
  const change = update(`server ${want.name}`, [...unreachable, ...rest])
  return change && unreachable.some(it => it !== null) ? { ...change, unready: true } : change
}

const joined = (ids: readonly string[] = []) => [...ids].sort().join(', ')

export const sharedServers = (clients: Scaleway) => listHere(clients, 'server', listServers)

const userDataOf = ({ instance }: ServerClients, serverId: string): Promise<string | null> =>
  orNull(instance.getServerUserData({ serverId, key: 'cloud-init' }))

/** There is no list of it: one call for each server. */
const sharedUserData = (clients: ServerClients, serverId: string) =>
  clients.lists.shared(`user-data ${serverId}`, () => userDataOf(clients, serverId))

const seeNow = async (clients: ServerClients, want: ServerWant, server: Instancev1.Server) =>
  see(clients, want, server, ...(await Promise.all([listAddresses(clients), userDataOf(clients, server.id)])))

const see = async (
  clients: ServerClients,
  want: ServerWant,
  server: Instancev1.Server,
  addresses: Ipamv1.IP[],
  text: string | null,
): Promise<ServerLive> => {
  const nic = server.privateNics.find(it => it.privateNetworkId === want.privateNetworkId)
  const held = addresses.find(it => nic && it.resource?.id === nic.id)
  const userData = text ? await compareUserData(clients, text, want.cloudInit) : null
  const ip = server.publicIps.find(it => it.id === want.flexibleIpId) ?? server.publicIps[0]
  const more = server.publicIps.flatMap(it => (it === ip ? [] : [it.id])).sort()
  return {
    id: server.id,
    name: server.name,
    type: server.commercialType,
    state: server.state,
    zone: server.zone,
    ...(server.protected && { protected: true }),
    ...lostTags(clients, want.name, server.tags),
    nicId: nic?.id ?? null,
    ipamIpId: held?.id ?? null,
    privateIp: held ? withoutMask(held.address) : null,
    flexibleIpId: ip?.id ?? null,
    publicIp: ip?.address ?? null,
    ...(more.length > 0 && { moreFlexibleIpIds: more }),
    securityGroupId: server.securityGroup?.id ?? null,
    hostKey: userData?.hostKey ?? null,
    userDataSha: userData?.sha256 ?? null,
    userDataIsCurrent: userData?.isCurrent ?? false,
  }
}
