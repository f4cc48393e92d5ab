import type { Instancev1 } from '@scaleway/sdk'
import type { Scaleway } from './client.ts'
import { listAddresses } from './ipam-address.ts'
import { discard, makeOnce } from './make.ts'
import { become, insist, until, type Waiter } from './poll.ts'
import { isInUse, orNull } from './problems.ts'
import type { ServerWant } from './server-find.ts'
import { states } from './states.ts'
import { tagsOf } from './tags.ts'

type Server = Instancev1.Server
type Nic = Instancev1.PrivateNIC

/** One NIC in the network, with the booked address: a NIC with another address is taken away first. */
export const bringNic = async (scaleway: Scaleway, want: ServerWant, server: Server, report: Waiter): Promise<void> => {
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
  look: () => Promise<Nic | null>,
  report: Waiter,
): Promise<Nic> =>
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
