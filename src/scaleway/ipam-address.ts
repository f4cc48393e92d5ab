import type { Ipamv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse, statusOf } from './problems.ts'
import { listServers } from './server-find.ts'
import {
  contextIn,
  contextTag,
  isOurs,
  lostTags,
  mendTags,
  nameIn,
  tagChange,
  tagsOf,
  theOne,
  type Untagged,
} from './tags.ts'
import { inZones } from './zones.ts'

/**
 * `address`: IPv4 without a mask, inside the network and not its first or last two. `subnetId`: the network's, as an
 * address does not name its network.
 */
export type IpamAddressWant = { name: string; privateNetworkId: string; address: string; subnetId?: string }
export type IpamAddressLive = Untagged & { id: string; address: string; attachedTo: string | null; subnetId?: string }

export const listAddresses = (scaleway: Scaleway): Promise<Ipamv1.IP[]> =>
  scaleway.lists.next('address of ours', () =>
    scaleway.ipam.listIPs({ projectId: scaleway.projectId, tags: [contextTag(scaleway.context)], isIpv6: false }).all(),
  )

/** Every private IPv4 address of the project, for all reads of a plan: ours, and those of nodes. */
export const sharedAddresses = (scaleway: Scaleway): Promise<Ipamv1.IP[]> =>
  scaleway.lists.shared('address', () => allAddresses(scaleway))

export const allAddresses = ({ ipam, lists, projectId }: Scaleway): Promise<Ipamv1.IP[]> =>
  lists.next('address', () => ipam.listIPs({ projectId, isIpv6: false }).all())

/** The API answers with a mask what was asked for without. */
export const withoutMask = (address: string): string => address.split('/')[0] ?? address

const live = (it: Ipamv1.IP): IpamAddressLive => ({
  id: it.id,
  address: withoutMask(it.address),
  attachedTo: it.resource?.id ?? null,
  ...(it.source?.subnetId && { subnetId: it.source.subnetId }),
})

/** A private address kept for one server, known by its tags: addresses have no names. */
export const ipamAddressKind: Kind<IpamAddressWant, IpamAddressLive, Scaleway> = {
  name: 'ipam-address',
  ahead: sharedAddresses,
  async read(want, scaleway, report) {
    const all = await sharedAddresses(scaleway)
    const found = theOne(scaleway, 'private address', want.name, all) ?? (await heldByOurs(want, scaleway, all))
    if (!found) return refuseOrphan(scaleway, report, 'private address', want.name, async () => all)
    return { ...live(found), ...lostTags(scaleway, want.name, found.tags) }
  },
  diff(want, live) {
    const what = `private address ${want.name}`
    return live ? (replacement(want, live) ?? update(what, [tagChange(live)])) : create(`${what} ${want.address}`)
  },
  async apply(want, scaleway, before, report) {
    const { name, privateNetworkId, address } = want
    const other = before && replacement(want, before)
    if (before && other) {
      // The server that holds it gets a NIC with the new address when its own turn comes.
      if (before.attachedTo) await removeOurNic(scaleway, before.attachedTo, before.address)
      await removeIpamAddress(scaleway, before.id, report)
    }
    const stays = (it: { id: string }) => it.id !== before?.id || !other
    const made = await makeOnce(report, {
      look: async () => {
        const all = (await listOf(scaleway, privateNetworkId)).filter(stays)
        return theOne(scaleway, 'private address', name, all) ?? heldByOurs(want, scaleway, all)
      },
      make: () => book(scaleway, name, privateNetworkId, address),
    })
    await mendTags(scaleway, name, made.tags, tags => scaleway.ipam.updateIP({ ipId: made.id, tags }))
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await ipamAddressKind.read(want, scaleway, report))
    if (before && there?.address === before.address) return
    if (before && there?.attachedTo) await removeOurNic(scaleway, there.attachedTo, there.address)
    if (there) await removeIpamAddress(scaleway, there.id, report)
    if (before) await ipamAddressKind.apply({ ...want, address: before.address }, scaleway, null, report)
  },
}
export const ipamAddress = word(ipamAddressKind)

const replacement = (want: IpamAddressWant, live: IpamAddressLive): Change | null => {
  const { name, address, subnetId = live.subnetId } = want
  const why = 'a reservation is for one address of one network'
  return replace(`private address ${name}`, [
    fixed('address', live.address, address, why),
    live.subnetId === undefined ? null : fixed('subnet', live.subnetId, subnetId, why),
  ])
}

/** With its tags: ours in this network; without: all of it, as one that lost them may be ours. */
const listOf = ({ ipam, lists }: Scaleway, privateNetworkId: string): Promise<Ipamv1.IP[]> =>
  lists.next(`address of ${privateNetworkId}`, () => ipam.listIPs({ privateNetworkId, isIpv6: false }).all())

const ourServers = (scaleway: Scaleway) => inZones(scaleway, scaleway.zonesOf('instance'), listServers)

/** An address without any tag of a context, or without its name, is still ours where a server of ours by that name holds it. */
const heldByOurs = async (
  { name, address, subnetId }: IpamAddressWant,
  scaleway: Scaleway,
  all: Ipamv1.IP[],
): Promise<Ipamv1.IP | null> => {
  const found = all.find(
    it =>
      withoutMask(it.address) === address &&
      (subnetId === undefined || it.source?.subnetId === subnetId) &&
      (contextIn(it.tags) === undefined || (isOurs(scaleway, it) && nameIn(it.tags) === '')) &&
      it.resource?.name === name,
  )
  if (!found) return null
  const servers = (await ourServers(scaleway)).filter(it => isOurs(scaleway, it) && it.name === name)
  return servers.some(it => it.privateNics.some(({ id }) => id === found.resource?.id)) ? found : null
}

/** Takes the NIC that holds an address off a server of ours; nobody else's is touched. */
const removeOurNic = async (scaleway: Scaleway, nicId: string, address: string) => {
  const holder = (await ourServers(scaleway)).find(
    it => isOurs(scaleway, it) && it.privateNics.some(({ id }) => id === nicId),
  )
  if (holder)
    return discard(scaleway.at(holder.zone).instance.deletePrivateNIC({ serverId: holder.id, privateNicId: nicId }))
  throw new Problem(`private address ${address} is held by something that is not ours`, {
    why: `${nicId} has it, and no server of this context has that NIC`,
    next: `put ${address} back into the inventory, or take it off what holds it in the Scaleway console`,
  })
}

const book = async (
  scaleway: Scaleway,
  name: string,
  privateNetworkId: string,
  address: string,
): Promise<Ipamv1.IP> => {
  try {
    return await scaleway.ipam.bookIP({
      source: { privateNetworkId },
      isIpv6: false,
      address,
      tags: tagsOf(scaleway, name),
    })
  } catch (error) {
    if (![400, 409, 412].includes(statusOf(error) ?? 0)) throw error
    const all = await scaleway.ipam.listIPs({ privateNetworkId, isIpv6: false }).all()
    const holder = all.find(it => withoutMask(it.address) === address)
    if (!holder) throw error
    throw new Problem(`private address ${address} is already taken`, {
      why: `${holder.resource?.name ?? holder.resource?.type ?? 'a reservation'} has it (${holder.id})`,
      next: 'choose another address in the inventory, or release this one in the Scaleway console',
      cause: error,
    })
  }
}

/** Its server may still be on its way out, so a refusal is repeated. */
export const removeIpamAddress = (scaleway: Scaleway, id: string, report: Waiter): Promise<void> =>
  insist(report, {
    what: `private address ${id}: waiting until it is free`,
    act: () => discard(scaleway.ipam.releaseIP({ ipId: id })),
    passing: isInUse,
    withinMs: scaleway.deadlines.address,
  })
