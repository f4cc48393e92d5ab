import { projectOf } from './account.ts'
import { instanceAddresses, takePublic } from './addresses.ts'
import { created, noContent, ok } from './answer.ts'
import { byId, type Cloud, mustFind, uuid } from './cloud.ts'
import { oneOf, text, texts } from './fields.ts'
import { allTags, asks, instancePage } from './lists.ts'
import type { InstanceIp } from './records.ts'
import { resolves } from './reverse.ts'
import { type Ask, type Route, route } from './router.ts'
import { syncServer } from './sync.ts'

const root = '/instance/v1/zones/:zone/ips'

/** What a machine with an IPv4 address gets beside it: nothing here is reached by it. */
export const addInstanceIpv6 = ({ state }: Cloud, { zone, project_id, tags, server_id }: InstanceIp): InstanceIp => {
  const id = uuid()
  const address = `2001:db8:${id.slice(0, 4)}:${id.slice(4, 8)}:dc00:ff:fe00:1`
  const ip: InstanceIp = { id, project_id, zone, address, reverse: null, tags, server_id, family: 'inet6' }
  state.instance_ips[id] = ip
  return ip
}

export const addInstanceIp = (cloud: Cloud, zone: string, projectId: string, tags: string[]): InstanceIp => {
  const address = takePublic(cloud.machines.internet.instancePool, instanceAddresses(cloud), 'instances_ips')
  const ip: InstanceIp = { id: uuid(), project_id: projectId, zone, address, reverse: null, tags, server_id: null }
  cloud.state.instance_ips[ip.id] = ip
  return ip
}

export const instanceIpRoutes = (cloud: Cloud): Route[] => {
  const { state, credentials } = cloud
  const ipOf = ({ params, place }: Ask) => mustFind(cloud, 'instance_ips', params.id!, place)

  const show = ({ id, project_id, address, reverse, server_id, zone, tags, family }: InstanceIp) => ({
    ...{ id, address: family ? null : address, prefix: family ? `${address}/64` : null, reverse },
    server: server_id ? { id: server_id, name: state.servers[server_id]!.name } : null,
    ...{ organization: credentials.organizationId, project: project_id, zone },
    type: family ? 'routed_ipv6' : 'routed_ipv4',
    ...{ state: server_id ? 'attached' : 'detached', tags, ipam_id: id },
  })

  return [
    route('POST', root, ({ body, place }) => {
      const project = projectOf(cloud, body, 'instance_ip')
      oneOf(body, 'type', ['routed_ipv4'])
      const ip = addInstanceIp(cloud, place, project, texts(body, 'tags') ?? [])
      const server = text(body, 'server')
      if (server) moveIp(cloud, ip, mustFind(cloud, 'servers', server, place).id)
      return created({ ip: show(ip) })
    }),
    route('GET', root, ask => {
      const named = ask.query.get('name')
      const rows = byId(state.instance_ips).filter(
        it =>
          it.zone === ask.place &&
          allTags(ask, it.tags) &&
          asks(ask, 'project', it.project_id) &&
          asks(ask, 'organization', credentials.organizationId) &&
          (!named || it.address.includes(named)),
      )
      return instancePage('ips', rows.map(show), ask)
    }),
    // An IP can be asked for by its id or its address.
    route('GET', `${root}/:id`, ask => {
      const byAddress = byId(state.instance_ips).find(it => it.address === ask.params.id && it.zone === ask.place)
      return ok({ ip: show(byAddress ?? ipOf(ask)) })
    }),
    route('PATCH', `${root}/:id`, ask => {
      resolves(text(ask.body, 'reverse'), 'constraint')
      const ip = ipOf(ask)
      ip.tags = texts(ask.body, 'tags') ?? ip.tags
      if ('reverse' in ask.body) ip.reverse = text(ask.body, 'reverse') ?? null
      if ('server' in ask.body) {
        const server = text(ask.body, 'server')
        moveIp(cloud, ip, server ? mustFind(cloud, 'servers', server, ask.place).id : null)
      }
      return ok({ ip: show(ip) })
    }),
    // Deleting works while it is attached: the server just loses it.
    route('DELETE', `${root}/:id`, ask => {
      const ip = ipOf(ask)
      moveIp(cloud, ip, null)
      delete state.instance_ips[ip.id]
      return noContent
    }),
  ]
}

/** Attaches, moves or detaches; servers that run follow. */
export const moveIp = (cloud: Cloud, ip: InstanceIp, serverId: string | null) => {
  const before = ip.server_id
  if (before === serverId) return
  ip.server_id = serverId
  for (const id of [before, serverId]) if (id) syncServer(cloud, id)
}
