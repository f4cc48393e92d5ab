import type { Vpcgwv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'
import { consoleLink } from './console.ts'
import { type ExistingWant, existingKind } from './existing.ts'
import { type GatewayLive, live } from './gateway.ts'
import { type GatewayNetworkLive, listLegs, live as liveLeg } from './gateway-network.ts'
import { inZones } from './zones.ts'

/** `bastionPort`: absent when the inventory asks for no bastion. */
export type ExistingGatewayWant = ExistingWant & { zone: string; bastionPort?: number }

/** A Public Gateway that somebody else made. */
export const existingGatewayKind = existingKind<ExistingGatewayWant, Vpcgwv2.Gateway, GatewayLive>({
  kind: 'existing-gateway',
  what: 'gateway',
  list: scaleway =>
    inZones(scaleway, scaleway.zonesOf('gateway'), ({ gateway, projectId }) =>
      gateway.listGateways({ projectId }).all(),
    ),
  live,
  misfit({ zone, bastionPort, place }, { zone: there = zone, status, bastion }) {
    if (there !== zone) return { why: `it is in ${there}, not in ${zone}`, next: `write ${place}.zone: ${there}` }
    if (['failed', 'locked', 'stopped', 'stopping', 'deleting'].includes(status))
      return { why: `it is ${status}`, next: 'have its owner bring it back, or name another one' }
    if (bastionPort === undefined) return null
    if (!bastion.enabled)
      return {
        why: 'it has no bastion, and what others made is not changed',
        next: `have its owner enable the bastion, or leave ${place}.bastion out`,
      }
    if (bastion.port !== bastionPort)
      return {
        why: `its bastion listens on ${bastion.port}, the inventory says ${bastionPort}`,
        next: `write ${place}.bastion.port: ${bastion.port}`,
      }
    return null
  },
})
export const existingGateway = word(existingGatewayKind)

export type ExistingLegWant = { gatewayId: string; privateNetworkId: string; zone: string }

/** The leg of a gateway in a network when both are somebody else's: making it would change what is not ours. */
export const existingLegKind: Kind<ExistingLegWant, GatewayNetworkLive, Scaleway> = {
  name: 'existing-gateway-network',
  async read({ gatewayId, privateNetworkId, zone }, scaleway) {
    const legs = await listLegs(scaleway.at(zone), gatewayId)
    const found = legs.find(it => it.gatewayId === gatewayId && it.privateNetworkId === privateNetworkId)
    return found ? liveLeg(found) : null
  },
  diff({ gatewayId, privateNetworkId }, found) {
    const next = `have their owner mend that at ${consoleLink('gateway', { id: gatewayId })}, or adopt only one of the two`
    if (!found)
      throw new Problem('the gateway and the private network of the inventory do not belong together', {
        why: `${gatewayId} is not attached to ${privateNetworkId}, and both are somebody else's: we do not attach them`,
        next,
        exit: 2,
      })
    if (found.masquerade && found.defaultRoute) return null
    throw new Problem('the gateway is no way out for the private network', {
      why: `masquerade is ${found.masquerade ? 'on' : 'off'} and its default route is ${found.defaultRoute ? 'on' : 'off'}; both must be on`,
      next,
      exit: 2,
    })
  },
  async apply(want, scaleway, _live, report) {
    const found = await existingLegKind.read(want, scaleway, report)
    existingLegKind.diff(want, found)
    return found as GatewayNetworkLive
  },
}
export const existingLeg = word(existingLegKind)
