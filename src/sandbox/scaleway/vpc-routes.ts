import { notFound, ok } from './answer.ts'
import { byId, type Cloud, mustFind, uuidOf } from './cloud.ts'
import { asks, page } from './lists.ts'
import type { GatewayNetwork, PrivateNetwork } from './records.ts'
import { type Route, route } from './router.ts'

const root = '/vpc/v2/regions/:region'

/** The routes of a VPC that nobody wrote: one to each subnet, and the defaults that gateways announce. */
export const vpcRouteRoutes = (cloud: Cloud): Route[] => {
  const { state } = cloud

  const common = (network: PrivateNetwork) => ({
    ...{ vpc_id: network.vpc_id, is_read_only: true, nexthop_vpc_connector_id: null, region: network.region },
    nexthop_private_network_id: network.id,
  })
  const local = (network: PrivateNetwork) =>
    network.subnets.map(({ subnet }) => ({
      ...{ nexthop_ip: null, nexthop_name: null as string | null, nexthop_resource_type: 'unknown_type' },
      route: {
        ...{ id: '', description: 'Local Private Network route', tags: ['MANAGED'], type: 'subnet' },
        ...{ ...common(network), destination: subnet, nexthop_resource_id: null as string | null },
        ...{ created_at: network.created_at, updated_at: network.updated_at },
      },
    }))
  const byGateway = (link: GatewayNetwork, network: PrivateNetwork) => ({
    ...{ nexthop_ip: null, nexthop_name: state.gateways[link.gateway_id]?.name ?? null },
    nexthop_resource_type: 'vpc_gateway_network',
    route: {
      ...{ id: uuidOf(`default route of ${link.id}`), description: 'Default route', tags: [], type: 'default' },
      ...{ ...common(network), destination: '0.0.0.0/0', nexthop_resource_id: link.id },
      ...{ created_at: link.created_at, updated_at: link.updated_at },
    },
  })
  const routesIn = (region: string) => {
    const networks = byId(state.private_networks).filter(it => it.region === region)
    const announced = byId(state.gateway_networks).filter(it => it.push_default_route && it.status === 'ready')
    return [
      ...networks.flatMap(local),
      ...announced.flatMap(link =>
        networks.filter(it => it.id === link.private_network_id).map(it => byGateway(link, it)),
      ),
    ]
  }

  return [
    route('GET', `${root}/routes-with-nexthop`, ask => {
      const v6 = ask.query.get('is_ipv6') === 'true'
      const rows = routesIn(ask.place).filter(
        it =>
          asks(ask, 'vpc_id', it.route.vpc_id) &&
          asks(ask, 'nexthop_private_network_id', it.route.nexthop_private_network_id) &&
          asks(ask, 'nexthop_resource_id', it.route.nexthop_resource_id) &&
          asks(ask, 'nexthop_resource_type', it.nexthop_resource_type) &&
          (!v6 || it.route.destination.includes(':')),
      )
      return page('routes', rows, ask)
    }),
    route('GET', `${root}/routes/:id`, ({ params, place }) => {
      const found = routesIn(place).find(it => it.route.id === params.id)
      if (!found) throw notFound('unknown', '') // over there it does not say what it looked for
      return ok(found.route)
    }),
    // Nobody has written any rule between networks: there is no way to, here.
    route('GET', `${root}/vpcs/:id/acl-rules`, ({ params, place }) => {
      mustFind(cloud, 'vpcs', params.id!, place)
      return ok({ rules: [], default_policy: 'accept' })
    }),
  ]
}
