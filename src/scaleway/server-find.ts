import type { Instancev1 } from '@scaleway/sdk'
import type { Json } from '../engine/json.ts'
import type { Scaleway } from './client.ts'
import { staying, type Waiter } from './poll.ts'
import { orNull } from './problems.ts'
import { states } from './states.ts'
import { contextIn, contextTag, isOurs, nameIn, single, theOne } from './tags.ts'

type Server = Instancev1.Server

export type ServerWant = {
  name: string
  type: string
  /** A marketplace label, e.g. ubuntu_noble. Used when the server is made, never compared. */
  image: string
  privateNetworkId: string
  /** The booked private address. */
  ipamIpId: string
  /** null: no public address, it leaves through the gateway. */
  flexibleIpId: string | null
  /** More public addresses beside it, of tenants that share the server. Scaleway takes five in all. */
  moreFlexibleIpIds?: string[]
  securityGroupId: string
  /** What `cloudInit.render` takes. No secrets. */
  cloudInit: Json
  rootVolumeGb?: number
  /** Scaleway itself refuses to turn it off or to delete it. */
  protected?: boolean
  zone?: string
}

export const listServers = ({ instance, lists, projectId, context, zone }: Scaleway): Promise<Server[]> =>
  lists.next(`server ${zone}`, () => instance.listServers({ project: projectId, tags: [contextTag(context)] }).all())

/** Ours or not: one list for all that are looked for by their names. */
const listAllServers = ({ instance, lists, projectId, zone }: Scaleway): Promise<Server[]> =>
  lists.next(`any server ${zone}`, () => instance.listServers({ project: projectId }).all())

/** Being powered off ends well, being terminated does not. */
export const isLeaving = ({ state, stateDetail }: Server): boolean =>
  state === 'stopping' && stateDetail === 'terminating'

/** `counts`: which of those listed still count, as one that was removed may be listed for a while. */
export const stayingServer = (
  scaleway: Scaleway,
  want: ServerWant,
  report: Waiter,
  counts: (listed: Server) => boolean = () => true,
): Promise<Server | null> =>
  staying(report, {
    what: `server ${want.name}`,
    look: async () =>
      theOne(scaleway, 'server', want.name, (await listServers(scaleway)).filter(counts)) ??
      untaggedServer(scaleway, want, counts),
    state: it => (isLeaving(it) ? 'terminating' : it.state),
    states: { ...states.server, terminating: 'bad' },
    leaving: ['terminating'],
    withinMs: scaleway.deadlines.server,
  })

/**
 * A server without any tag of a context, of exactly that name, that holds an address or the group of ours: made by a run
 * that died before its tags arrived. A name alone makes nothing ours. Or one of this context that holds an address of
 * ours, where a hand took both its names: another one would take the address from what is in use.
 */
export const untaggedServer = async (
  scaleway: Scaleway,
  want: ServerWant,
  counts: (listed: Server) => boolean = () => true,
): Promise<Server | null> => {
  const { name, flexibleIpId, securityGroupId, ipamIpId } = want
  const { ipam } = scaleway
  const all = (await listAllServers(scaleway)).filter(counts)
  const named = all.filter(it => it.name === name && contextIn(it.tags) === undefined)
  const nameless = all.filter(it => isOurs(scaleway, it) && nameIn(it.tags) === '')
  if (named.length + nameless.length === 0) return null
  const nic = (await orNull(ipam.getIP({ ipId: ipamIpId })))?.resource?.id
  const holds = (it: Server) =>
    it.publicIps.some(({ id }) => id === flexibleIpId) || it.privateNics.some(({ id }) => id === nic)
  const ours = named.filter(it => holds(it) || it.securityGroup?.id === securityGroupId)
  return single(`server ${name}`, [...ours, ...nameless.filter(holds)], 'server')
}
