import { projectOf } from './account.ts'
import { book } from './addresses.ts'
import { constraint, noContent, notFound, ok, precondition } from './answer.ts'
import { byId, type Cloud, mustFind, now } from './cloud.ts'
import { flag, object, objects, require, text, texts } from './fields.ts'
import { anyTag, asks, page } from './lists.ts'
import type { IpamIp, PrivateNetwork } from './records.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/ipam/v1/regions/:region'

export const ipamRoutes = (cloud: Cloud): Route[] => {
  const { state } = cloud

  const show = ({ automatic: _a, private_network_id: _p, subnet_id, ...it }: IpamIp) => ({
    ...it,
    source: { subnet_id },
    zone: null,
  })
  const ipOf = ({ params, place }: Ask) => mustFind(cloud, 'ips', params.id!, place)

  const networkOf = ({ body, place }: Ask): PrivateNetwork => {
    const source = object(body, 'source') ?? {}
    const subnet = text(source, 'subnet_id')
    if (!subnet) {
      const id = text(source, 'private_network_id')
      if (!id) throw constraint('source', 'a private network or a subnet is needed')
      return mustFind(cloud, 'private_networks', id, place)
    }
    const found = byId(state.private_networks).find(it => it.subnets.some(one => one.id === subnet))
    if (!found) throw notFound('subnet', subnet)
    return found
  }

  const drop = (ip: IpamIp) => {
    if (ip.resource) throw precondition('resource_still_in_use', 'IP is attached to a resource')
    delete state.ips[ip.id]
  }

  const matches = (ask: Ask) => (it: IpamIp) => {
    const { query } = ask
    const attached = query.get('attached')
    const v6 = query.get('is_ipv6')
    const mac = query.get('mac_address')?.toUpperCase()
    const named = query.get('resource_name')
    return (
      it.region === ask.place &&
      asks(ask, 'private_network_id', it.private_network_id) &&
      asks(ask, 'subnet_id', it.subnet_id) &&
      asks(ask, 'vpc_id', state.private_networks[it.private_network_id]?.vpc_id) &&
      asks(ask, 'resource_id', it.resource?.id) &&
      asks(ask, 'resource_ids', it.resource?.id) &&
      asks(ask, 'resource_type', it.resource?.type) &&
      asks(ask, 'resource_types', it.resource?.type) &&
      asks(ask, 'ip_ids', it.id) &&
      asks(ask, 'project_id', it.project_id) &&
      (!named || (it.resource?.name ?? '').includes(named)) &&
      (!mac || it.resource?.mac_address === mac) &&
      (attached === null || String(it.resource !== null) === attached) &&
      (v6 === null || String(it.is_ipv6) === v6) &&
      anyTag(ask, it.tags)
    )
  }

  return [
    route('POST', `${root}/ips`, ask => {
      const projectId = projectOf(cloud, ask.body, 'ip')
      require(ask.body, 'source')
      const isIpv6 = flag(ask.body, 'is_ipv6') ?? false
      const network = networkOf(ask)
      const [address, tags] = [text(ask.body, 'address'), texts(ask.body, 'tags') ?? []]
      return ok(show(book(cloud, network, { address, isIpv6, tags, projectId })))
    }),
    route('GET', `${root}/ips`, ask => page('ips', byId(state.ips).filter(matches(ask)).map(show), ask)),
    route('GET', `${root}/ips/:id`, ask => ok(show(ipOf(ask)))),
    route('PATCH', `${root}/ips/:id`, ask => {
      const ip = ipOf(ask)
      ip.tags = texts(ask.body, 'tags') ?? ip.tags
      ip.reverses = (objects(ask.body, 'reverses') as IpamIp['reverses'] | undefined) ?? ip.reverses
      ip.updated_at = now()
      return ok(show(ip))
    }),
    route('DELETE', `${root}/ips/:id`, ask => {
      drop(ipOf(ask))
      return noContent
    }),
    route('POST', `${root}/ip-sets/release`, ({ body, place }) => {
      const ips = (texts(body, 'ip_ids') ?? []).map(id => mustFind(cloud, 'ips', id, place))
      for (const ip of ips) drop(ip)
      return noContent
    }),
  ]
}
