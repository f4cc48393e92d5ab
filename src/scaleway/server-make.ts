import type { Instancev1 } from '@scaleway/sdk'
import type { Report } from '../engine/kind.ts'
import type { Scaleway } from './client.ts'
import { newUserData, type ServerClients } from './cloud-init.ts'
import { imageId } from './image.ts'
import { makeOnce } from './make.ts'
import { become, type Waiter } from './poll.ts'
import { orNull } from './problems.ts'
import { trackVolumes, volumeIdsOf } from './root-volume.ts'
import { listServers, type ServerWant, stayingServer } from './server-find.ts'
import { bringNic } from './server-nic.ts'
import { states } from './states.ts'
import { mendTags, tagsOf } from './tags.ts'

type Server = Instancev1.Server

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

/** Only where there is none yet: the host key in it is already on record. */
const bringUserData = async (clients: ServerClients, want: ServerWant, serverId: string): Promise<void> => {
  const { instance } = clients
  const key = 'cloud-init'
  if (await orNull(instance.getServerUserData({ serverId, key }))) return
  await instance.setServerUserData({ serverId, key, content: await newUserData(clients, want.cloudInit) })
}
