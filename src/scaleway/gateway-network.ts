import type { Vpcgwv2 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { gatewayRunning, sharedGateways } from './gateway.ts'
import { removeGatewayNetwork } from './gateway-remove.ts'
import { makeOnce } from './make.ts'
import { arrive, become, insist, staying, type Waiter } from './poll.ts'
import { isTransient, orNull } from './problems.ts'
import { states } from './states.ts'
import { isOurs, single } from './tags.ts'

/** `masquerade`: nodes leave by the gateway's address. `defaultRoute`: they are told so by DHCP. */
export type GatewayNetworkWant = {
  gatewayId: string
  privateNetworkId: string
  masquerade: boolean
  defaultRoute: boolean
  /** The gateway's. */
  zone?: string
}
export type GatewayNetworkLive = GatewayNetworkWant & { id: string; status: string; ipamIpId: string | null }

export const listLegs = ({ gateway }: Scaleway, gatewayId: string) =>
  gateway.listGatewayNetworks({ gatewayIds: [gatewayId] }).all()

const shared = (scaleway: Scaleway, gatewayId: string) =>
  scaleway.lists.shared(`gateway-network ${gatewayId}`, () => listLegs(scaleway, gatewayId))

export const live = (it: Vpcgwv2.GatewayNetwork): GatewayNetworkLive => ({
  id: it.id,
  gatewayId: it.gatewayId,
  privateNetworkId: it.privateNetworkId,
  masquerade: it.masqueradeEnabled,
  defaultRoute: it.pushDefaultRoute,
  status: it.status,
  zone: it.zone,
  ipamIpId: it.ipamIpId || null,
})

const pick = ({ gatewayId, privateNetworkId }: GatewayNetworkWant, all: Vpcgwv2.GatewayNetwork[]) =>
  single(
    `gateway network of ${gatewayId} and ${privateNetworkId}`,
    all.filter(it => it.gatewayId === gatewayId && it.privateNetworkId === privateNetworkId),
    'gateway network',
  )

/** A gateway's leg in a private network. It has neither name nor tags: the pair it joins is its identity. */
export const gatewayNetworkKind: Kind<GatewayNetworkWant, GatewayNetworkLive, Scaleway> = {
  name: 'gateway-network',
  async ahead(scaleway) {
    const gateways = (await sharedGateways(scaleway)).filter(it => isOurs(scaleway, it))
    await Promise.all(gateways.map(({ id, zone }) => shared(scaleway.at(zone), id)))
  },
  takes: { create: 15, update: 5, delete: 5 },
  async read(want, scaleway) {
    const found = pick(want, await shared(scaleway.at(want.zone), want.gatewayId))
    return found && found.status !== 'detaching' ? live(found) : null
  },
  diff(want, live) {
    if (!live) return create('gateway network')
    return update('gateway network', [
      field('status', live.status, 'ready'),
      field('masquerade', live.masquerade, want.masquerade),
      field('default route', live.defaultRoute, want.defaultRoute),
    ])
  },
  async apply(want, clients, _live, report) {
    const scaleway = clients.at(want.zone)
    const { gatewayId, privateNetworkId, masquerade: enableMasquerade, defaultRoute: pushDefaultRoute } = want
    const made = await whenIdle(scaleway, gatewayId, report, () =>
      makeOnce(report, {
        look: () =>
          staying(report, {
            what: 'gateway network',
            look: async () => pick(want, await listLegs(scaleway, gatewayId)),
            state: it => it.status,
            states: states.gatewayNetwork,
            leaving: ['detaching'],
            withinMs: scaleway.deadlines.gatewayNetwork,
          }),
        make: () =>
          scaleway.gateway.createGatewayNetwork({ gatewayId, privateNetworkId, enableMasquerade, pushDefaultRoute }),
      }),
    )
    const ready = await become(report, networkReady(scaleway, made.id))
    if (ready.masqueradeEnabled === enableMasquerade && ready.pushDefaultRoute === pushDefaultRoute) return live(ready)
    return change(scaleway, made.id, want, report)
  },
  async undo(want, clients, before, now, report) {
    const scaleway = clients.at(want.zone)
    const there = now ?? (await gatewayNetworkKind.read(want, scaleway, report))
    if (!there) return
    if (!before) return removeGatewayNetwork(scaleway, there.id, report)
    await change(scaleway, before.id, before, report)
  },
}
export const gatewayNetwork = word(gatewayNetworkKind)

const change = async (scaleway: Scaleway, gatewayNetworkId: string, want: GatewayNetworkWant, report: Waiter) => {
  const { gatewayId, masquerade: enableMasquerade, defaultRoute: pushDefaultRoute } = want
  await whenIdle(scaleway, gatewayId, report, () =>
    scaleway.gateway.updateGatewayNetwork({ gatewayNetworkId, enableMasquerade, pushDefaultRoute }),
  )
  const arrived = (it: Vpcgwv2.GatewayNetwork) => !gatewayNetworkKind.diff(want, live(it))
  return live(await arrive(report, { ...networkReady(scaleway, gatewayNetworkId), arrived }))
}

/** A gateway may turn busy between the look and the act, so a refusal starts the wait again. */
const whenIdle = <T>(scaleway: Scaleway, gatewayId: string, report: Waiter, act: () => Promise<T>): Promise<T> =>
  insist(report, {
    what: `gateway ${gatewayId}: busy`,
    act: async () => {
      await gatewayRunning(scaleway, gatewayId, gatewayId, report)
      return act()
    },
    passing: isTransient,
    withinMs: scaleway.deadlines.gateway,
  })

/** `created` has no MAC address yet: only `ready` carries packets. */
const networkReady = ({ gateway, deadlines }: Scaleway, gatewayNetworkId: string) => ({
  what: 'gateway network',
  look: () => orNull(gateway.getGatewayNetwork({ gatewayNetworkId })),
  state: (it: Vpcgwv2.GatewayNetwork) => it.status,
  states: states.gatewayNetwork,
  withinMs: deadlines.gatewayNetwork,
})

export { shared as sharedGatewayNetworks }
