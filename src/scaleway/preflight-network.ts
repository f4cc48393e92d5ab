import { closest } from '../engine/nearest.ts'
import { freeIn, overlap } from '../engine/ranges.ts'
import type { Check } from './finding.ts'
import { withoutMask } from './ipam-address.ts'
import { sharedNetworks } from './private-network.ts'
import { contextIn, isOurs, nameIn } from './tags.ts'

/** A gateway: its type is offered in the zone. */
export const checkGateway: Check = async ({ step, want, scaleway, catalogue }) => {
  const zone: string = want.zone ?? scaleway.zone
  const types = await catalogue.gatewayTypes(zone)
  if (!types || types.some(it => it.toUpperCase() === String(want.type).toUpperCase())) return []
  const what = `there is no gateway type ${want.type} in ${zone}`
  const why = types.length > 0 ? `Scaleway offers ${types.join(', ')}` : 'Scaleway offers no Public Gateways there'
  const next = types.length > 0 ? `take one of ${closest(want.type, types).join(', ')}` : 'take another zone'
  return [{ step: step.id, field: 'type', what, why, next }]
}

/** A private network: no other one in its VPC has some of its addresses. */
export const checkNetwork: Check = async ({ step, want, scaleway, catalogue }) => {
  const { vpcId, cidr, name } = want
  if (typeof vpcId !== 'string') return []
  const all = await catalogue.once(`private networks of ${vpcId}`, () =>
    scaleway.vpc.listPrivateNetworks({ vpcId }).all(),
  )
  const other = (all ?? [])
    .filter(it => !(isOurs(scaleway, it) && nameIn(it.tags) === name))
    .flatMap(it => it.subnets.map(({ subnet }) => ({ subnet, ...it })))
    .find(it => !it.subnet.includes(':') && overlap(it.subnet, cidr))
  if (!other) return []
  const what = `${cidr} overlaps the private network ${other.name}`
  const why = `${other.name} (${other.id}) has ${other.subnet} in the same VPC`
  return [{ step: step.id, field: 'cidr', what, why, next: 'choose a range apart, or another VPC' }]
}

/** A private network that is replaced: nobody else keeps an address in it, or it would stay when all else is down. */
export const checkEmptied: Check = async ({ step, want, scaleway, catalogue }) => {
  if (step.change.action !== 'replace') return []
  const network = (await sharedNetworks(scaleway)).find(it => isOurs(scaleway, it) && nameIn(it.tags) === want.name)
  if (!network) return []
  const kept = await catalogue.once(`reservations of ${network.id}`, () =>
    scaleway.ipam.listIPs({ privateNetworkId: network.id, attached: false }).all(),
  )
  const others = (kept ?? []).filter(it => !it.resource && contextIn(it.tags) === undefined)
  if (others.length === 0) return []
  const what = `the private network ${want.name} cannot be replaced`
  const why = `it cannot go while these are booked in it: ${others.map(it => `${it.address} (${it.id})`).join(', ')}`
  const next = 'release them in the Scaleway console first, or put the old value back'
  return [{ step: step.id, field: 'cidr', what, why, next }]
}

/** A private address: nobody has it yet. */
export const checkAddress: Check = async ({ step, want, scaleway, catalogue }) => {
  const { privateNetworkId, address, name } = want
  if (typeof privateNetworkId !== 'string') return []
  const all = await catalogue.once(`addresses of ${privateNetworkId}`, () =>
    scaleway.ipam.listIPs({ privateNetworkId, isIpv6: false }).all(),
  )
  const holder = (all ?? []).find(it => withoutMask(it.address) === address)
  if (!holder || (isOurs(scaleway, holder) && nameIn(holder.tags) === name)) return []
  const what = `the private address ${address} is taken`
  const by = holder.resource?.name ?? holder.resource?.type ?? (nameIn(holder.tags) || 'a reservation')
  const why = `${by} has it (${holder.id})`
  const taken = new Set((all ?? []).map(it => withoutMask(it.address)))
  const free = freeIn(holder.address, it => taken.has(it))
  const other = free ? `choose another one, e.g. ${free}` : 'choose another one'
  const next = isOurs(scaleway, holder)
    ? `${other}, or move that one away first`
    : `${other}, or release this one in the Scaleway console`
  return [{ step: step.id, field: 'address', what, why, next }]
}
