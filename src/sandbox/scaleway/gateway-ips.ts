import { projectOf } from './account.ts'
import { takePublic } from './addresses.ts'
import { noContent, ok, precondition } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { text, texts } from './fields.ts'
import { anyTag, asks, page } from './lists.ts'
import type { GatewayIp } from './records.ts'
import { resolves } from './reverse.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/vpc-gw/v2/zones/:zone/ips'

export const addGatewayIp = (cloud: Cloud, zone: string, projectId: string, tags: string[]): GatewayIp => {
  const taken = byId(cloud.state.gateway_ips).map(it => it.address)
  const address = takePublic(cloud.machines.internet.gatewayPool, taken, 'vpc_gateway_ips')
  const reverse = `${address.split('.').toReversed().join('-')}.instances.scw.cloud`
  const ip: GatewayIp = {
    id: uuid(),
    project_id: projectId,
    zone,
    address,
    reverse,
    tags,
    gateway_id: null,
    ...dated(),
  }
  cloud.state.gateway_ips[ip.id] = ip
  return ip
}

/** `gateway_id` is answered only while there is one. */
export const showGatewayIp = ({ credentials }: Cloud, { gateway_id, ...it }: GatewayIp) => ({
  ...it,
  ...(gateway_id ? { gateway_id } : {}),
  organization_id: credentials.organizationId,
})

export const gatewayIpRoutes = (cloud: Cloud): Route[] => {
  const { state } = cloud
  const ipOf = ({ params, place }: Ask) => mustFind(cloud, 'gateway_ips', params.id!, place)
  const show = (it: GatewayIp) => ok(showGatewayIp(cloud, it))
  return [
    route('POST', root, ({ body, place }) => {
      return show(addGatewayIp(cloud, place, projectOf(cloud, body, 'ip'), texts(body, 'tags') ?? []))
    }),
    route('GET', root, ask => {
      const free = ask.query.get('is_free')
      const rows = byId(state.gateway_ips).filter(
        it =>
          it.zone === ask.place &&
          anyTag(ask, it.tags) &&
          asks(ask, 'project_id', it.project_id) &&
          (it.reverse ?? '').includes(ask.query.get('reverse') ?? '') &&
          (free === null || String(it.gateway_id === null) === free),
      )
      return page(
        'ips',
        rows.map(it => showGatewayIp(cloud, it)),
        ask,
      )
    }),
    route('GET', `${root}/:id`, ask => show(ipOf(ask))),
    route('PATCH', `${root}/:id`, ask => {
      resolves(text(ask.body, 'reverse'), 'unknown')
      const ip = ipOf(ask)
      ip.tags = texts(ask.body, 'tags') ?? ip.tags
      ip.reverse = text(ask.body, 'reverse') ?? ip.reverse
      ip.updated_at = now()
      return show(ip)
    }),
    route('DELETE', `${root}/:id`, ask => {
      const ip = ipOf(ask)
      if (ip.gateway_id) throw precondition('resource_still_in_use', 'IP is attached to a gateway')
      delete state.gateway_ips[ip.id]
      return noContent
    }),
  ]
}
