import type { Vpcv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { create, field, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse } from './problems.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { contextTag, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'

/** `cidr`: the IPv4 range, fixed for life. Scaleway adds an IPv6 range of its own. */
export type PrivateNetworkWant = { name: string; vpcId: string; cidr: string; defaultRoutePropagation?: boolean }
export type PrivateNetworkLive = Untagged & {
  id: string
  name: string
  vpcId: string
  cidr: string
  defaultRoutePropagation: boolean
  /** Of its IPv4 range: what an address of it answers. */
  subnetId?: string
}

const list = ({ vpc, projectId, context }: Scaleway, tags = [contextTag(context)]) =>
  vpc.listPrivateNetworks({ projectId, tags }).all()

const shared = (scaleway: Scaleway) => scaleway.lists.shared('private-network', () => list(scaleway))

const ipv4 = ({ subnets }: Vpcv2.PrivateNetwork) => subnets.find(({ subnet }) => !subnet.includes(':'))

export const live = (it: Vpcv2.PrivateNetwork): PrivateNetworkLive => ({
  id: it.id,
  name: it.name,
  vpcId: it.vpcId,
  cidr: ipv4(it)?.subnet ?? '',
  subnetId: ipv4(it)?.id ?? '',
  defaultRoutePropagation: it.defaultRoutePropagationEnabled,
})

/** A private network, known by its tags. */
export const privateNetworkKind: Kind<PrivateNetworkWant, PrivateNetworkLive, Scaleway> = {
  name: 'private-network',
  ahead: shared,
  holds: true,
  async read({ name }, scaleway, report) {
    const found = theOne(scaleway, 'private network', name, await shared(scaleway))
    if (!found) return refuseOrphan(scaleway, report, 'private network', name, tags => list(scaleway, tags))
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `private network ${want.name}`
    if (!live) return create(`${what} ${want.cidr}`)
    return (
      replacement(want, live) ??
      update(what, [
        field('name', live.name, want.name),
        field('default route propagation', live.defaultRoutePropagation, want.defaultRoutePropagation ?? false),
        tagChange(live),
      ])
    )
  },
  async apply(want, scaleway, before, report) {
    const { name, vpcId, cidr, defaultRoutePropagation = false } = want
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      removePrivateNetwork(scaleway, id, report),
    )
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'private network', name, (await list(scaleway)).filter(stays)),
      make: () =>
        scaleway.vpc.createPrivateNetwork({
          name,
          vpcId,
          subnets: [cidr],
          tags: tagsOf(scaleway, name),
          defaultRoutePropagationEnabled: defaultRoutePropagation,
        }),
    })
    await mendTags(scaleway, name, made.tags, tags =>
      scaleway.vpc.updatePrivateNetwork({ privateNetworkId: made.id, tags }),
    )
    if (!privateNetworkKind.diff(want, live(made))) return live(made)
    return live(await change(scaleway, made.id, name, defaultRoutePropagation))
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await privateNetworkKind.read(want, scaleway, report))
    if (!before) return there ? removePrivateNetwork(scaleway, there.id, report) : undefined
    refuseReturn(`private network ${want.name}`, before, there)
    await change(scaleway, before.id, before.name, before.defaultRoutePropagation)
  },
}
export const privateNetwork = word(privateNetworkKind)

const replacement = (want: PrivateNetworkWant, live: PrivateNetworkLive): Change | null =>
  replace(`private network ${want.name}`, [
    fixed('cidr', live.cidr, want.cidr, 'the range of a private network is fixed when it is made'),
    fixed('vpc', live.vpcId, want.vpcId, 'a private network cannot move to another VPC'),
  ])

const change = ({ vpc }: Scaleway, privateNetworkId: string, name: string, defaultRoutePropagationEnabled: boolean) =>
  vpc.updatePrivateNetwork({ privateNetworkId, name, defaultRoutePropagationEnabled })

/** The addresses of what was just deleted linger for a while, so a refusal is repeated. */
export const removePrivateNetwork = async (scaleway: Scaleway, id: string, report: Waiter): Promise<void> => {
  try {
    await insist(report, {
      what: `private network ${id}: waiting until it is empty`,
      act: () => discard(scaleway.vpc.deletePrivateNetwork({ privateNetworkId: id })),
      passing: isInUse,
      withinMs: scaleway.deadlines.network,
    })
  } catch (error) {
    if (!isInUse(error)) throw error
    const left = await scaleway.ipam.listIPs({ privateNetworkId: id }).all()
    throw new Problem(`private network ${id} cannot be deleted`, {
      why: `still in it: ${left.map(it => `${it.address} ${it.resource?.name ?? it.resource?.type ?? 'booked'}`).join(', ')}`,
      next: 'delete or detach these, then run the same command again',
      cause: error,
    })
  }
}

export { shared as sharedNetworks }
