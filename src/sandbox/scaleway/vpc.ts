import { randomBytes } from 'node:crypto'
import { projectOf } from './account.ts'
import { broken, constraint, noContent, ok, precondition } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { flag, text, texts } from './fields.ts'
import { excluded, formatAddress, overlaps, parseRange } from './ipv4.ts'
import { anyTag, asks, nameHas, page } from './lists.ts'
import type { PrivateNetwork, Vpc } from './records.ts'
import { asOf, customRoutesSince, dayOf, today } from './releases.ts'
import { type Ask, type Route, route } from './router.ts'
import { reasonOf } from './transitions.ts'

const root = '/vpc/v2/regions/:region'

export const vpcRoutes = (cloud: Cloud): Route[] => {
  const { state, credentials, machines } = cloud
  const ownerOf = ({ project_id }: Vpc | PrivateNetwork) => ({
    organization_id: credentials.organizationId,
    project_id,
  })

  const dayFor = (vpc: Vpc | undefined) => cloud.asOf ?? vpc?.as_of ?? today
  const showVpc = (it: Vpc) => asOf('vpc', dayFor(it), everyVpc(it))
  const everyVpc = (it: Vpc) => ({
    ...{ id: it.id, name: it.name, tags: it.tags, ...ownerOf(it), created_at: it.created_at },
    ...{ updated_at: it.updated_at, is_default: it.is_default },
    private_network_count: byId(state.private_networks).filter(one => one.vpc_id === it.id).length,
    ...{ routing_enabled: it.routing_enabled, transitivity_enabled: false },
    custom_routes_propagation_enabled: it.custom_routes ?? dayFor(it) >= customRoutesSince,
    ...{ s3_integration_enabled: false, region: it.region },
  })
  const dayIn = ({ vpc_id }: PrivateNetwork) => dayFor(state.vpcs[vpc_id])
  const showSubnet = (it: PrivateNetwork, { id, subnet }: Subnet) =>
    asOf('subnet', dayIn(it), {
      ...{ id, created_at: it.created_at, updated_at: it.updated_at, subnet, project_id: it.project_id },
      ...{ private_network_id: it.id, vpc_id: it.vpc_id, region: it.region },
    })
  const showNetwork = (it: PrivateNetwork) => asOf('private_network', dayIn(it), everyNetwork(it))
  const everyNetwork = (it: PrivateNetwork) => ({
    ...{
      id: it.id,
      name: it.name,
      tags: it.tags,
      ...ownerOf(it),
      created_at: it.created_at,
      updated_at: it.updated_at,
    },
    subnets: it.subnets.map(subnet => showSubnet(it, subnet)),
    ...{ vpc_id: it.vpc_id, dhcp_enabled: it.dhcp_enabled, has_s3_integration: false, region: it.region },
    default_route_propagation_enabled: it.default_route_propagation_enabled,
  })

  const addVpc = (fields: Pick<Vpc, 'region' | 'project_id' | 'name' | 'tags' | 'is_default' | 'as_of'>): Vpc => {
    const vpc: Vpc = { id: uuid(), ...fields, routing_enabled: true, ...dated() }
    state.vpcs[vpc.id] = vpc
    return vpc
  }
  const defaultVpc = (region: string, project_id: string) =>
    byId(state.vpcs).find(it => it.is_default && it.region === region && it.project_id === project_id) ??
    addVpc({ region, project_id, name: 'default', tags: ['default'], is_default: true })

  const vpcOf = ({ params, place }: Ask) => mustFind(cloud, 'vpcs', params.id!, place)
  const networkOf = ({ params, place }: Ask) => mustFind(cloud, 'private_networks', params.id!, place)
  const rename = (it: Vpc | PrivateNetwork, { body }: Ask) =>
    Object.assign(it, { name: text(body, 'name') ?? it.name, tags: texts(body, 'tags') ?? it.tags, updated_at: now() })

  const addNetwork = async ({ body, place }: Ask) => {
    const project_id = projectOf(cloud, body, 'private_network')
    const asked = text(body, 'vpc_id')
    const vpc = asked ? mustFind(cloud, 'vpcs', asked, place) : defaultVpc(place, project_id)
    const cidr = subnetFor(
      byId(state.private_networks).filter(it => it.vpc_id === vpc.id),
      texts(body, 'subnets'),
    )
    const network: PrivateNetwork = {
      ...{ id: uuid(), name: text(body, 'name') ?? `pn-${uuid().slice(0, 8)}`, tags: texts(body, 'tags') ?? [] },
      ...{ project_id, region: place, vpc_id: vpc.id, dhcp_enabled: true },
      subnets: [cidr, ula()].map(subnet => ({ id: uuid(), subnet })),
      default_route_propagation_enabled: flag(body, 'default_route_propagation_enabled') ?? false,
      ...dated(),
    }
    state.private_networks[network.id] = network
    try {
      await cloud.transitions.queue(network.id, () => machines.networkUp({ id: network.id, cidr }))
    } catch (thrown) {
      delete state.private_networks[network.id] // it has no state that could say "failed"
      throw broken(`private network ${network.name}: ${reasonOf(thrown)}`)
    }
    return ok(showNetwork(network))
  }

  return [
    route('POST', `${root}/vpcs`, ({ body, place }) => {
      const project_id = projectOf(cloud, body, 'vpc')
      // `enable_routing: false` is taken and ignored, as over there.
      const name = text(body, 'name') ?? `vpc-${uuid().slice(0, 8)}`
      const tags = texts(body, 'tags') ?? []
      return ok(showVpc(addVpc({ region: place, project_id, name, tags, is_default: false, as_of: dayOf.vpc(body) })))
    }),
    route('GET', `${root}/vpcs`, ask => {
      const isDefault = ask.query.get('is_default')
      const rows = byId(state.vpcs).filter(
        it =>
          it.region === ask.place &&
          nameHas(ask, it.name) &&
          anyTag(ask, it.tags) &&
          asks(ask, 'project_id', it.project_id) &&
          (isDefault === null || String(it.is_default) === isDefault),
      )
      return page('vpcs', rows.map(showVpc), ask)
    }),
    route('GET', `${root}/vpcs/:id`, ask => ok(showVpc(vpcOf(ask)))),
    route('PATCH', `${root}/vpcs/:id`, ask => ok(showVpc(rename(vpcOf(ask), ask) as Vpc))),
    route('POST', `${root}/vpcs/:id/enable-routing`, ask => ok(showVpc(vpcOf(ask)))),
    route('POST', `${root}/vpcs/:id/enable-custom-routes-propagation`, ask =>
      ok(showVpc(Object.assign(vpcOf(ask), { custom_routes: true, updated_at: now() }))),
    ),
    route('DELETE', `${root}/vpcs/:id`, ask => {
      const vpc = vpcOf(ask)
      if (vpc.is_default) throw precondition('default_resource', 'Default VPC cannot be deleted')
      if (byId(state.private_networks).some(it => it.vpc_id === vpc.id))
        throw precondition('resource_still_in_use', 'VPC must be empty to be deleted')
      delete state.vpcs[vpc.id]
      return noContent
    }),
    route('POST', `${root}/private-networks`, addNetwork),
    route('GET', `${root}/private-networks`, ask => {
      const rows = byId(state.private_networks).filter(
        it =>
          it.region === ask.place &&
          nameHas(ask, it.name) &&
          anyTag(ask, it.tags) &&
          asks(ask, 'vpc_id', it.vpc_id) &&
          asks(ask, 'private_network_ids', it.id) &&
          asks(ask, 'project_id', it.project_id),
      )
      return page('private_networks', rows.map(showNetwork), ask)
    }),
    route('GET', `${root}/private-networks/:id`, ask => ok(showNetwork(networkOf(ask)))),
    route('PATCH', `${root}/private-networks/:id`, ask => {
      const network = rename(networkOf(ask), ask) as PrivateNetwork
      network.default_route_propagation_enabled =
        flag(ask.body, 'default_route_propagation_enabled') ?? network.default_route_propagation_enabled
      return ok(showNetwork(network))
    }),
    route('POST', `${root}/private-networks/:id/enable-dhcp`, ask => ok(showNetwork(networkOf(ask)))),
    route('DELETE', `${root}/private-networks/:id`, async ask => {
      const network = networkOf(ask)
      if (inUse(cloud, network.id))
        throw precondition('resource_still_in_use', 'Private Network must be empty to be deleted')
      await removeNetwork(cloud, network)
      return noContent
    }),
    route('GET', `${root}/subnets`, ask => {
      const rows = byId(state.private_networks)
        .filter(
          it => it.region === ask.place && asks(ask, 'vpc_id', it.vpc_id) && asks(ask, 'project_id', it.project_id),
        )
        .flatMap(it => it.subnets.filter(one => asks(ask, 'subnet_ids', one.id)).map(one => showSubnet(it, one)))
      return page('subnets', rows, ask)
    }),
  ]
}

type Subnet = PrivateNetwork['subnets'][number]

/** Something still holds on to the network, be it only a booked address. */
export const inUse = ({ state }: Cloud, id: string, besides?: string): boolean =>
  [state.private_nics, state.gateway_networks, state.clusters, state.ips].some(rows =>
    byId<{ id: string; private_network_id: string }>(rows).some(
      it => it.private_network_id === id && it.id !== besides,
    ),
  )

export const removeNetwork = async ({ state, machines, transitions }: Cloud, { id, name }: PrivateNetwork) => {
  try {
    await transitions.queue(id, () => machines.networkDown(id))
  } catch (thrown) {
    throw broken(`private network ${name}: ${reasonOf(thrown)}`)
  }
  delete state.private_networks[id]
}

const subnetFor = (networks: PrivateNetwork[], asked: string[] | undefined): string => {
  const taken = networks.map(it => parseRange(it.subnets[0]!.subnet)!)
  const v4 = asked?.filter(it => !it.includes(':')) ?? []
  if (v4.length > 1) throw constraint('subnets', 'only one IPv4 subnet is allowed')
  if (v4[0]) {
    const range = parseRange(v4[0])
    if (!range) throw constraint('subnets', `${v4[0]} is not an IPv4 network`)
    if (range.length < 20 || range.length > 29) throw constraint('subnets', 'prefix length must be from 20 to 29')
    if ([...taken, ...excluded].some(it => overlaps(it, range)))
      throw constraint('subnets', `${v4[0]} is not available`)
    return v4[0]
  }
  const { base } = parseRange('172.16.0.0/12')!
  for (let index = 0; index < 1024; index++) {
    const cidr = `${formatAddress(base + index * 1024)}/22`
    if (!taken.some(it => overlaps(it, parseRange(cidr)!))) return cidr
  }
  throw constraint('subnets', 'no subnet is left in this VPC')
}

const ula = (): string => {
  const [a, b, c, d] = randomBytes(7).toString('hex').padStart(16, 'fd').match(/.{4}/g)!
  return `${[a, b, c, d].map(it => it!.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
