import type { Scaleway } from './client.ts'
import { discard } from './make.ts'
import { insist, until, type Waiter } from './poll.ts'
import { isInUse, orNull } from './problems.ts'
import { states } from './states.ts'

/** A gateway goes only when it has left its networks. */
export const removeGatewayFromNetworks = async (scaleway: Scaleway, id: string, report: Waiter): Promise<void> => {
  const legs = await scaleway.gateway.listGatewayNetworks({ gatewayIds: [id] }).all()
  for (const leg of legs.filter(it => it.gatewayId === id)) await removeGatewayNetwork(scaleway, leg.id, report)
  await removeGateway(scaleway, id, report)
}

export const removeGateway = async (scaleway: Scaleway, id: string, report: Waiter): Promise<void> => {
  await insist(report, {
    what: `gateway ${id}: waiting until it can be deleted`,
    // Its IP is a resource of its own, with tags; it goes separately.
    act: () => discard(scaleway.gateway.deleteGateway({ gatewayId: id, deleteIp: false })),
    passing: isInUse,
    withinMs: scaleway.deadlines.gateway,
  })
  await until(report, {
    what: `gateway ${id}`,
    look: () => orNull(scaleway.gateway.getGateway({ gatewayId: id })),
    state: it => it.status,
    states: states.gateway,
    good: ['gone'],
    bad: ['locked'],
    patienceMs: scaleway.deadlines.gateway / 30,
    withinMs: scaleway.deadlines.gateway,
  })
}

export const removeGatewayNetwork = async (scaleway: Scaleway, id: string, report: Waiter): Promise<void> => {
  await insist(report, {
    what: `gateway network ${id}: waiting until it can be detached`,
    act: () => discard(scaleway.gateway.deleteGatewayNetwork({ gatewayNetworkId: id })),
    passing: isInUse,
    withinMs: scaleway.deadlines.gatewayNetwork,
  })
  await until(report, {
    what: `gateway network ${id}`,
    look: () => orNull(scaleway.gateway.getGatewayNetwork({ gatewayNetworkId: id })),
    state: it => it.status,
    states: states.gatewayNetwork,
    good: ['gone'],
    withinMs: scaleway.deadlines.gatewayNetwork,
  })
}
