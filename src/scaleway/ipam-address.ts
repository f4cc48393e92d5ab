import type { Ipamv1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse, statusOf } from './problems.ts'
import { contextTag, tagsOf, theOne } from './tags.ts'

/** `address`: IPv4 without a mask, inside the network and not its first or last two. */
export type IpamAddressWant = { name: string; privateNetworkId: string; address: string }
export type IpamAddressLive = { id: string; address: string; attachedTo: string | null }

export const listAddresses = (scaleway: Scaleway): Promise<Ipamv1.IP[]> =>
  scaleway.ipam.listIPs({ projectId: scaleway.projectId, tags: [contextTag(scaleway.context)], isIpv6: false }).all()

/** Every private IPv4 address of the project, for all reads of a plan: ours, and those of nodes. */
export const sharedAddresses = (scaleway: Scaleway): Promise<Ipamv1.IP[]> =>
  scaleway.lists.shared('address', () => scaleway.ipam.listIPs({ projectId: scaleway.projectId, isIpv6: false }).all())

/** The API answers with a mask what was asked for without. */
export const withoutMask = (address: string): string => address.split('/')[0] ?? address

const live = (it: Ipamv1.IP): IpamAddressLive => ({
  id: it.id,
  address: withoutMask(it.address),
  attachedTo: it.resource?.id ?? null,
})

/** A private address kept for one server, known by its tags: addresses have no names. */
export const ipamAddressKind: Kind<IpamAddressWant, IpamAddressLive, Scaleway> = {
  name: 'ipam-address',
  ahead: sharedAddresses,
  async read({ name }, scaleway) {
    const found = theOne(scaleway, 'private address', name, await sharedAddresses(scaleway))
    return found && live(found)
  },
  diff({ name, address }, live) {
    if (!live) return create(`private address ${name} ${address}`)
    if (live.address !== address && live.attachedTo)
      throw new Problem(`private address ${name}: ${live.address} is in use and cannot become ${address}`, {
        why: 'an address cannot be released while a server holds it',
        next: `put ${live.address} back into the inventory, or destroy the server that holds it, then deploy`,
        exit: 2,
      })
    return update(`private address ${name}`, [field('address', live.address, address)], 'replace')
  },
  async apply({ name, privateNetworkId, address }, scaleway, before, report) {
    if (before && before.address !== address) await removeIpamAddress(scaleway, before.id, report)
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'private address', name, await listAddresses(scaleway)),
      make: () => book(scaleway, name, privateNetworkId, address),
    })
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await ipamAddressKind.read(want, scaleway, report))
    if (before && there?.address === before.address) return
    if (there) await removeIpamAddress(scaleway, there.id, report)
    if (before) await ipamAddressKind.apply({ ...want, address: before.address }, scaleway, null, report)
  },
}
export const ipamAddress = word(ipamAddressKind)

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
