import type { Instancev1 } from '@scaleway/sdk'
import type { Json } from '../engine/json.ts'
import type { Report } from '../engine/kind.ts'
import type { Scaleway } from './client.ts'
import { newUserData, type ServerClients } from './cloud-init.ts'
import { imageId } from './image.ts'
import { listAddresses } from './ipam-address.ts'
import { discard, makeOnce } from './make.ts'
import { become, insist, staying, until, type Waiter } from './poll.ts'
import { isInUse, orNull } from './problems.ts'
import { trackVolumes, volumeIdsOf } from './root-volume.ts'
import { states } from './states.ts'
import { contextIn, contextTag, isOurs, mendTags, nameIn, single, tagsOf, theOne } from './tags.ts'

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

/** Makes it stopped: only then do NIC and user data arrive before the first boot. */
export const createServer = async (
  scaleway: Scaleway,
  want: ServerWant,
  report: Waiter,
  counts: (listed: Server) => boolean,
): Promise<Server> => {
  const { name, type, rootVolumeGb = 10 } = want
  const image = await imageId(scaleway, want.image, type)
  return makeOnce(report, {
    look: () => stayingServer(scaleway, want, report, counts),
    make: async () => {
      const { server } = await scaleway.instance.createServer({
        name,
        project: scaleway.projectId,
        commercialType: type,
        image,
        volumes: { 0: { volumeType: 'sbs_volume', size: rootVolumeGb * 1e9, boot: true } },
        dynamicIpRequired: false, // the default would give it a public address that changes
        publicIps: addressIdsOf(want),
        securityGroup: want.securityGroupId,
        bootType: 'local',
        tags: tagsOf(scaleway, name),
        protected: want.protected ?? false,
      })
      if (!server) throw new Error('a server was made and not answered')
      return server
    },
  })
}

/**
 * From whatever was left half-done to running, in the order that survives a crash anywhere: the volume is tracked
 * first, the power comes last, and each part looks before it acts.
 */
export const bringServer = async (
  clients: ServerClients,
  want: ServerWant,
  server: Server,
  report: Report,
): Promise<Server> => {
  const { instance } = clients
  const serverId = server.id
  await mendTags(clients, want.name, server.tags, tags => instance.updateServer({ serverId, tags }))
  await trackVolumes(clients, want.name, volumeIdsOf(server), report)
  const settled = await become(report, {
    what: `server ${want.name}`,
    look: () => getServer(clients, serverId),
    state: it => it.state,
    states: states.server,
    good: ['running', 'stopped', 'stopped in place'],
    bad: ['locked'],
    withinMs: clients.deadlines.server,
  })
  await bringAddresses(clients, want, settled)
  await bringNic(clients, want, settled, report)
  if (settled.state === 'stopped') await bringUserData(clients, want, serverId)
  if (settled.state !== 'running')
    await makeOnce(report, {
      look: async () => {
        const now = await getServer(clients, serverId)
        return now && (now.state === 'starting' || now.state === 'running') ? now : null
      },
      make: async () => {
        await instance.serverAction({ serverId, action: 'poweron' })
        return settled
      },
    })
  return become(report, {
    what: `server ${want.name}`,
    // One list for all servers that boot.
    look: async () => (await listServers(clients)).find(it => it.id === serverId) ?? null,
    state: it => it.state,
    states: states.server,
    // It may still say `stopped` right after it was told to start.
    patienceMs: clients.deadlines.server / 20,
    withinMs: clients.deadlines.server,
  })
}

const getServer = async ({ instance }: Scaleway, serverId: string): Promise<Server | null> =>
  (await orNull(instance.getServer({ serverId })))?.server ?? null

/** Its own first: what it leaves with when nothing else is said, and where SSH finds it. */
const addressIdsOf = ({ flexibleIpId, moreFlexibleIpIds = [] }: ServerWant): string[] =>
  flexibleIpId ? [flexibleIpId, ...moreFlexibleIpIds] : moreFlexibleIpIds

const bringAddresses = async ({ instance }: Scaleway, want: ServerWant, server: Server): Promise<void> => {
  const { name, securityGroupId } = want
  const serverId = server.id
  const isProtected = want.protected ?? false
  if (server.protected !== isProtected) await instance.updateServer({ serverId, protected: isProtected })
  if (server.name !== name) await instance.updateServer({ serverId, name })
  const there = server.publicIps.map(it => it.id)
  const wanted = addressIdsOf(want)
  if (there.length !== wanted.length || wanted.some(it => !there.includes(it)))
    await instance.updateServer({ serverId, publicIps: wanted })
  if (server.securityGroup?.id !== securityGroupId)
    await instance.updateServer({ serverId, securityGroup: { id: securityGroupId, name: 'egress' } })
}

/** One NIC in the network, with the booked address: a NIC with another address is taken away first. */
const bringNic = async (scaleway: Scaleway, want: ServerWant, server: Server, report: Waiter): Promise<void> => {
  const { instance } = scaleway
  const { privateNetworkId, ipamIpId, name } = want
  const serverId = server.id
  const look = async () => {
    const { privateNics } = await instance.listPrivateNICs({ serverId })
    return privateNics.find(it => it.privateNetworkId === privateNetworkId) ?? null
  }
  const there = await look()
  const booked = there && (await listAddresses(scaleway)).find(it => it.id === ipamIpId)
  const kept = there && booked?.resource?.id === there.id ? there : null
  if (there && !kept) {
    await discard(instance.deletePrivateNIC({ serverId, privateNicId: there.id }))
    await until(report, {
      what: `private NIC of ${name}`,
      look,
      state: it => it.state,
      states: states.privateNic,
      good: ['gone'],
      withinMs: scaleway.deadlines.privateNic,
    })
  }
  const nic = kept ?? (await createNic(scaleway, want, serverId, look, report))
  await become(report, {
    what: `private NIC of ${name}`,
    look: async () => (await orNull(instance.getPrivateNIC({ serverId, privateNicId: nic.id })))?.privateNic ?? null,
    state: it => it.state,
    states: states.privateNic,
    patienceMs: scaleway.deadlines.privateNic / 30,
    withinMs: scaleway.deadlines.privateNic,
  })
}

const createNic = (
  scaleway: Scaleway,
  { privateNetworkId, ipamIpId, name }: ServerWant,
  serverId: string,
  look: () => Promise<Instancev1.PrivateNIC | null>,
  report: Waiter,
): Promise<Instancev1.PrivateNIC> =>
  insist(report, {
    what: `private NIC of ${name}: waiting for its address`,
    act: () =>
      makeOnce(report, {
        look,
        make: async () => {
          const tags = tagsOf(scaleway, name)
          const asked = { serverId, privateNetworkId, ipamIpIds: [ipamIpId], tags }
          const made = await scaleway.instance.createPrivateNIC(asked)
          if (!made.privateNic) throw new Error('a NIC was made and not answered')
          return made.privateNic
        },
      }),
    passing: isInUse, // the address may still hang on the NIC of the server before
    withinMs: scaleway.deadlines.privateNic,
  })

/** Only where there is none yet: the host key in it is already on record. */
const bringUserData = async (clients: ServerClients, want: ServerWant, serverId: string): Promise<void> => {
  const { instance } = clients
  const key = 'cloud-init'
  if (await orNull(instance.getServerUserData({ serverId, key }))) return
  await instance.setServerUserData({ serverId, key, content: await newUserData(clients, want.cloudInit) })
}
