import { projectOf } from './account.ts'
import { constraint, exists, ok, precondition } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { type Body, count, flag, oneOf, require, text, texts } from './fields.ts'
import { refuseBusy } from './gateway-busy.ts'
import { addGatewayIp, showGatewayIp } from './gateway-ips.ts'
import { showGatewayNetwork } from './gateway-networks.ts'
import { projectKeys } from './iam.ts'
import { anyTag, asks, nameHas, page } from './lists.ts'
import type { Gateway } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { bringGateway } from './sync.ts'

const root = '/vpc-gw/v2/zones/:zone'
const types = { 'VPC-GW-S': 100, 'VPC-GW-M': 1000, 'VPC-GW-L': 3000, 'VPC-GW-XL': 10_000 }
const typeNames = Object.keys(types) as (keyof typeof types)[]
const seconds = { name: 2, allocate: 3, configure: 5, fail: 3, delete: 5 }

export const gatewayRoutes = (cloud: Cloud): Route[] => {
  const { state, credentials, transitions } = cloud

  const show = (it: Gateway) => {
    const { ip_id, version, bastion_keys: _keys, delete_ip: _delete, ...rest } = it
    return {
      ...rest,
      bandwidth: types[it.type as keyof typeof types],
      ipv4: showGatewayIp(cloud, state.gateway_ips[ip_id]!),
      gateway_networks: byId(state.gateway_networks)
        .filter(one => one.gateway_id === it.id)
        .map(showGatewayNetwork),
      is_legacy: false,
      organization_id: credentials.organizationId,
      ...(version ? { version } : {}),
    }
  }
  const gatewayOf = ({ params, place }: Ask) => mustFind(cloud, 'gateways', params.id!, place)
  const idle = (ask: Ask) => {
    const gateway = gatewayOf(ask)
    refuseBusy(gateway)
    return gateway
  }

  const addGateway = ({ body, place }: Ask) => {
    const project_id = projectOf(cloud, body, 'gateway')
    require(body, 'type')
    const type = oneOf(body, 'type', typeNames)!
    const bastion_port = bastionPort(body) ?? 61_000
    const asked = text(body, 'ip_id')
    const ip = asked ? mustFind(cloud, 'gateway_ips', asked, place) : addGatewayIp(cloud, place, project_id, [])
    if (ip.gateway_id) throw exists('ip', ip.id, 'IP is attached to another gateway')
    const gateway: Gateway = {
      ...{ id: uuid(), name: text(body, 'name') ?? `gw-${uuid().slice(0, 8)}`, tags: texts(body, 'tags') ?? [] },
      ...{ project_id, zone: place, type, status: 'allocating', ip_id: ip.id, version: null },
      smtp_enabled: flag(body, 'enable_smtp') ?? false,
      bastion_enabled: flag(body, 'enable_bastion') ?? false,
      bastion_port,
      bastion_allowed_ips: ['0.0.0.0/0'],
      bastion_keys: flag(body, 'enable_bastion') ? projectKeys(cloud, project_id) : [],
      delete_ip: false,
      ...dated(),
    }
    ip.gateway_id = gateway.id
    state.gateways[gateway.id] = gateway
    transitions.start('gateway naming', gateway.id, seconds.name)
    return ok(show(gateway))
  }

  /** The answer still says `running`; who looks again sees `configuring`. */
  const configure = (gateway: Gateway, kind = 'gateway configuration', after = seconds.configure) => {
    gateway.updated_at = now()
    const answer = ok(show(gateway))
    gateway.status = 'configuring'
    transitions.start(kind, gateway.id, after)
    return answer
  }

  const change = (ask: Ask) => {
    const { body } = ask
    const gateway = idle(ask)
    const port = bastionPort(body)
    const bastion = flag(body, 'enable_bastion')
    if (bastion && !gateway.bastion_enabled) gateway.bastion_keys = projectKeys(cloud, gateway.project_id)
    gateway.name = text(body, 'name') ?? gateway.name
    gateway.tags = texts(body, 'tags') ?? gateway.tags
    gateway.smtp_enabled = flag(body, 'enable_smtp') ?? gateway.smtp_enabled
    gateway.bastion_enabled = bastion ?? gateway.bastion_enabled
    gateway.bastion_port = port ?? gateway.bastion_port
    return configure(gateway)
  }

  const remove = (ask: Ask) => {
    const gateway = gatewayOf(ask)
    if (gateway.status === 'deleting' || gateway.status === 'allocating') refuseBusy(gateway)
    if (byId(state.gateway_networks).some(it => it.gateway_id === gateway.id))
      throw precondition('resource_still_in_use', 'Gateway must be detached from its Private Networks to be deleted')
    gateway.delete_ip = ask.query.get('delete_ip') === 'true'
    gateway.status = 'deleting'
    gateway.updated_at = now()
    transitions.start('gateway deletion', gateway.id, seconds.delete)
    return ok(show(gateway))
  }

  defineTransitions(cloud)
  return [
    route('POST', `${root}/gateways`, addGateway),
    route('GET', `${root}/gateways`, ask => {
      const networks = (id: string) => byId(state.gateway_networks).filter(it => it.gateway_id === id)
      const rows = byId(state.gateways).filter(
        it =>
          it.zone === ask.place &&
          nameHas(ask, it.name) &&
          anyTag(ask, it.tags) &&
          asks(ask, 'project_id', it.project_id) &&
          asks(ask, 'status', it.status) &&
          asks(ask, 'types', it.type) &&
          (!ask.query.has('private_network_ids') ||
            networks(it.id).some(one => asks(ask, 'private_network_ids', one.private_network_id))),
      )
      return page('gateways', rows.map(show), ask)
    }),
    route('GET', `${root}/gateways/:id`, ask => ok(show(gatewayOf(ask)))),
    route('PATCH', `${root}/gateways/:id`, change),
    route('DELETE', `${root}/gateways/:id`, remove),
    route('POST', `${root}/gateways/:id/upgrade`, ask => {
      const gateway = idle(ask)
      gateway.type = oneOf(ask.body, 'type', typeNames) ?? gateway.type
      const answer = configure(gateway, 'gateway upgrade', seconds.fail)
      gateway.status = 'failed' // seen on the real thing: `failed` in passing, before `configuring`
      return answer
    }),
    route('POST', `${root}/gateways/:id/refresh-ssh-keys`, ask => {
      const gateway = idle(ask)
      gateway.bastion_keys = projectKeys(cloud, gateway.project_id)
      return configure(gateway)
    }),
    route('PUT', `${root}/gateways/:id/bastion-allowed-ips`, ask => {
      const gateway = idle(ask)
      gateway.bastion_allowed_ips = texts(ask.body, 'ip_ranges') ?? []
      configure(gateway)
      return ok({ ip_ranges: gateway.bastion_allowed_ips })
    }),
    route('GET', `${root}/gateway-types`, ({ params }) =>
      ok({
        types: typeNames.map(name => ({ name, bandwidth: types[name], zone: params.zone, zones: [params.zone] })),
      }),
    ),
  ]
}

const bastionPort = (body: Body): number | undefined => {
  const port = count(body, 'bastion_port')
  if (port !== undefined && port !== 61_000 && (port < 1024 || port > 59_999))
    throw constraint('bastion_port', 'must be from 1024 to 59999')
  return port
}

const defineTransitions = (cloud: Cloud) => {
  const { state, transitions, machines } = cloud
  const set = (id: string, change: Partial<Gateway>) => {
    const gateway = state.gateways[id]
    if (gateway) Object.assign(gateway, change, { updated_at: now() })
  }
  const failed = (id: string) => set(id, { status: 'failed' })

  // Its version is known before it is up.
  transitions.define('gateway naming', {
    done(id) {
      set(id, { version: '0.7.8' })
      transitions.start('gateway allocation', id, seconds.allocate)
    },
    failed,
  })
  transitions.define('gateway allocation', {
    done(id) {
      set(id, { status: 'configuring' })
      transitions.start('gateway configuration', id, seconds.configure)
    },
    failed,
  })
  transitions.define('gateway upgrade', {
    done(id) {
      set(id, { status: 'configuring' })
      transitions.start('gateway configuration', id, seconds.configure)
    },
    failed,
  })
  transitions.define('gateway configuration', {
    effect: id => bringGateway(cloud, id),
    done: id => set(id, { status: 'running' }),
    failed,
  })
  transitions.define('gateway deletion', {
    effect: id => machines.gatewayDown(id),
    done(id) {
      const gateway = state.gateways[id]
      if (!gateway) return
      const ip = state.gateway_ips[gateway.ip_id]
      if (ip) ip.gateway_id = null
      if (gateway.delete_ip) delete state.gateway_ips[gateway.ip_id]
      delete state.gateways[id]
    },
    failed,
  })
}
