import { attach, release } from './addresses.ts'
import { constraint, exists, ok, transient } from './answer.ts'
import { byId, type Cloud, dated, mustFind, newMac, now, uuid } from './cloud.ts'
import { flag, require, text } from './fields.ts'
import { refuseBusy } from './gateway-busy.ts'
import { asks, page } from './lists.ts'
import type { GatewayNetwork } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { bringGateway, syncNetwork } from './sync.ts'

const root = '/vpc-gw/v2/zones/:zone/gateway-networks'
const seconds = { create: 5, configure: 10, detach: 5 }

/** There is no MAC before it is ready. */
export const showGatewayNetwork = ({ mac_address, ...it }: GatewayNetwork) =>
  mac_address ? { ...it, mac_address } : it

export const gatewayNetworkRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions } = cloud
  const linkOf = ({ params, place }: Ask) => mustFind(cloud, 'gateway_networks', params.id!, place)
  const regionOf = (zone: string) => zone.slice(0, zone.lastIndexOf('-'))

  const busyGateway = (id: string) => {
    const gateway = state.gateways[id]!
    gateway.status = 'configuring'
    gateway.updated_at = now()
    transitions.start('gateway configuration', id, seconds.create)
  }

  const add = ({ body, place }: Ask) => {
    require(body, 'gateway_id', 'private_network_id')
    const gateway = mustFind(cloud, 'gateways', text(body, 'gateway_id')!, place)
    const network = mustFind(cloud, 'private_networks', text(body, 'private_network_id')!, regionOf(place))
    refuseBusy(gateway)
    const twin = byId(state.gateway_networks).find(
      it => it.gateway_id === gateway.id && it.private_network_id === network.id,
    )
    if (twin) throw exists('gateway_network', twin.id, 'Gateway is attached to this Private Network')
    const link: GatewayNetwork = {
      ...{ id: uuid(), zone: place, gateway_id: gateway.id, private_network_id: network.id, status: 'created' },
      mac_address: null,
      masquerade_enabled: flag(body, 'enable_masquerade') ?? false,
      push_default_route: flag(body, 'push_default_route') ?? false,
      ipam_ip_id: '',
      ...dated(),
    }
    link.ipam_ip_id = takeAddress(cloud, link, text(body, 'ipam_ip_id'))
    state.gateway_networks[link.id] = link
    busyGateway(gateway.id)
    transitions.start('gateway network creation', link.id, seconds.create)
    return ok(showGatewayNetwork(link))
  }

  const change = (ask: Ask) => {
    const link = linkOf(ask)
    if (link.status !== 'ready') throw transient('gateway_network', link.id, link.status)
    refuseBusy(state.gateways[link.gateway_id]!)
    const asked = text(ask.body, 'ipam_ip_id')
    if (asked && asked !== link.ipam_ip_id) {
      const ip = state.ips[asked]
      if (ip?.resource || ip?.private_network_id !== link.private_network_id)
        throw constraint('ipam_ip_id', 'is not a free IP of the Private Network')
      release(cloud, link.id)
      link.ipam_ip_id = takeAddress(cloud, link, asked)
    }
    link.masquerade_enabled = flag(ask.body, 'enable_masquerade') ?? link.masquerade_enabled
    link.push_default_route = flag(ask.body, 'push_default_route') ?? link.push_default_route
    link.status = 'configuring'
    link.updated_at = now()
    transitions.start('gateway network configuration', link.id, seconds.create)
    return ok(showGatewayNetwork(link))
  }

  const remove = (ask: Ask) => {
    const link = linkOf(ask)
    if (link.status === 'detaching') throw transient('gateway_network', link.id, link.status)
    link.status = 'detaching'
    link.updated_at = now()
    busyGateway(link.gateway_id)
    transitions.start('gateway network removal', link.id, seconds.detach)
    syncNetwork(cloud, link.private_network_id)
    return ok(showGatewayNetwork(link))
  }

  defineTransitions(cloud)
  return [
    route('POST', root, add),
    route('GET', root, ask => {
      const masquerade = ask.query.get('masquerade_enabled')
      const rows = byId(state.gateway_networks).filter(
        it =>
          it.zone === ask.place &&
          asks(ask, 'gateway_ids', it.gateway_id) &&
          asks(ask, 'private_network_ids', it.private_network_id) &&
          asks(ask, 'status', it.status) &&
          (masquerade === null || String(it.masquerade_enabled) === masquerade),
      )
      return page('gateway_networks', rows.map(showGatewayNetwork), ask)
    }),
    route('GET', `${root}/:id`, ask => ok(showGatewayNetwork(linkOf(ask)))),
    route('PATCH', `${root}/:id`, change),
    route('DELETE', `${root}/:id`, remove),
  ]
}

const takeAddress = (cloud: Cloud, link: GatewayNetwork, asked: string | undefined): string => {
  const { gateways, private_networks } = cloud.state
  const name = gateways[link.gateway_id]!.name
  // IPAM is not told the MAC of an address that is swapped in later.
  const resource = { type: 'vpc_gateway_network', id: link.id, mac_address: null, name }
  const booked = asked ? [asked] : undefined
  return attach(cloud, private_networks[link.private_network_id]!, resource, { booked, ipv6: false })[0]!.id
}

const defineTransitions = (cloud: Cloud) => {
  const { state, transitions } = cloud
  const bring = (id: string): Promise<void> => {
    const link = state.gateway_networks[id]
    return link ? transitions.queue(link.gateway_id, () => bringGateway(cloud, link.gateway_id)) : Promise.resolve()
  }
  /** Its own status knows no failure: the gateway shows it. */
  const failed = (id: string) => {
    const gateway = state.gateways[state.gateway_networks[id]?.gateway_id ?? '']
    if (gateway) gateway.status = 'failed'
  }

  transitions.define('gateway network creation', {
    done(id) {
      const link = state.gateway_networks[id]
      if (!link) return
      link.status = 'configuring'
      transitions.start('gateway network configuration', id, seconds.configure)
    },
    failed,
  })
  transitions.define('gateway network configuration', {
    effect: bring,
    done(id) {
      const link = state.gateway_networks[id]
      if (!link) return
      if (!link.mac_address) {
        link.mac_address = newMac(cloud, '02:00:00').toUpperCase()
        const resource = state.ips[link.ipam_ip_id]?.resource
        if (resource) resource.mac_address = link.mac_address
      }
      link.status = 'ready'
      link.updated_at = now()
      syncNetwork(cloud, link.private_network_id)
    },
    failed,
  })
  transitions.define('gateway network removal', {
    effect: bring,
    done(id) {
      release(cloud, id)
      delete state.gateway_networks[id]
    },
    failed,
  })
}
