import type { Vpcgwv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Change, Kind } from '../engine/kind.ts'
import { create, fixed, replace, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { sharedGateways } from './gateway.ts'
import { removeGatewayFromNetworks } from './gateway-remove.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { insist, type Waiter } from './poll.ts'
import { isInUse, orNull } from './problems.ts'
import { clearWay, refuseReturn } from './replaced.ts'
import { contextTag, isOurs, lostTags, mendTags, nameIn, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'
import { findZoned, inZones, listHere } from './zones.ts'

export type GatewayIpWant = { name: string; zone?: string }
export type GatewayIpLive = Untagged & { id: string; address: string; zone?: string }

const list = ({ gateway, projectId, context }: Scaleway, tags = [contextTag(context)]) =>
  gateway.listIPs({ projectId, tags }).all()

const shared = (scaleway: Scaleway) => listHere(scaleway, 'gateway-ip', here => list(here))

const live = ({ id, address, zone }: Vpcgwv2.IP): GatewayIpLive => ({ id, address, zone })

/** A public address for a Public Gateway; servers have a pool of their own. */
export const gatewayIpKind: Kind<GatewayIpWant, GatewayIpLive, Scaleway> = {
  name: 'gateway-ip',
  ahead: shared,
  async read({ name }, scaleway, report) {
    const named = namedByGateway(await sharedGateways(scaleway))
    const pick = (all: Vpcgwv2.IP[]) => theOne(scaleway, 'gateway IP', name, all.map(named))
    const found = await findZoned(scaleway, 'gateway', 'gateway-ip', here => list(here), pick)
    if (!found)
      return refuseOrphan(scaleway, report, 'gateway IP', name, tags =>
        inZones(scaleway, scaleway.zones, here => list(here, tags)),
      )
    return { ...live(found), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `gateway IP ${want.name}`
    return live ? (replacement(want, live) ?? update(what, [tagChange(live)])) : create(what)
  },
  async apply(want, scaleway, before, report) {
    const { name } = want
    const here = scaleway.at(want.zone)
    const stays = await clearWay(before, before && replacement(want, before), report, id =>
      takeFromGateway(scaleway.at(before?.zone), id, report),
    )
    const made = await makeOnce(report, {
      look: async () => {
        const [all, gateways] = await Promise.all([list(here), sharedGateways(scaleway)])
        return theOne(scaleway, 'gateway IP', name, all.filter(stays).map(namedByGateway(gateways)))
      },
      make: () => here.gateway.createIP({ tags: tagsOf(scaleway, name) }),
    })
    await mendTags(scaleway, name, made.tags, tags => here.gateway.updateIP({ ipId: made.id, tags }))
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await gatewayIpKind.read(want, scaleway, report))
    if (before) refuseReturn(`gateway IP ${want.name}`, before, there)
    else if (there) await removeGatewayIp(scaleway.at(there.zone), there.id, report)
  },
}
export const gatewayIp = word(gatewayIpKind)

/** An address has no name of its own: one whose name tag was taken away is known by the gateway of ours that has it. */
const namedByGateway =
  (gateways: readonly Vpcgwv2.Gateway[]) =>
  (ip: Vpcgwv2.IP): Vpcgwv2.IP & { name?: string } => {
    const holder = gateways.find(it => it.ipv4?.id === ip.id)
    return holder ? { ...ip, name: nameIn(holder.tags) || holder.name } : ip
  }

const replacement = (want: GatewayIpWant, live: GatewayIpLive): Change | null =>
  replace(`gateway IP ${want.name}`, [
    fixed('zone', live.zone, want.zone ?? live.zone, 'an address belongs to its zone: partners will see a new one'),
  ])

/** An address goes only without its gateway; ours cannot follow to another zone, so it is replaced in its turn. */
const takeFromGateway = async (here: Scaleway, ipId: string, report: Waiter): Promise<void> => {
  const ip = await orNull(here.gateway.getIP({ ipId }))
  const gateway = ip?.gatewayId ? await orNull(here.gateway.getGateway({ gatewayId: ip.gatewayId })) : null
  if (gateway && isOurs(here, gateway)) await removeGatewayFromNetworks(here, gateway.id, report)
  await removeGatewayIp(here, ipId, report)
}

export const removeGatewayIp = (scaleway: Scaleway, id: string, report: Waiter): Promise<void> =>
  insist(report, {
    what: `gateway IP ${id}: waiting until it is free`,
    act: () => discard(scaleway.gateway.deleteIP({ ipId: id })),
    passing: isInUse,
    withinMs: scaleway.deadlines.address,
  })

export { shared as sharedGatewayIps }
