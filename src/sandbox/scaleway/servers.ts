import { projectOf } from './account.ts'
import { release } from './addresses.ts'
import { broken, constraint, created, invalid, noContent, ok, precondition } from './answer.ts'
import { addVolume, detachVolume } from './block.ts'
import { findImage, serverTypes } from './catalogue.ts'
import { byId, type Cloud, dated, isUuid, mustFind, newMac, now, uuid } from './cloud.ts'
import { type Body, count, flag, object, require, text, texts } from './fields.ts'
import { moveIp } from './instance-ips.ts'
import { allTags, asks, instancePage, nameHas } from './lists.ts'
import type { Server } from './records.ts'
import { dayOf } from './releases.ts'
import { type Ask, type Route, route } from './router.ts'
import { defaultSecurityGroup } from './security-groups.ts'
import { showServer } from './server-view.ts'
import { nicsOf } from './specs.ts'
import { lockServer, syncServer } from './sync.ts'
import { reasonOf } from './transitions.ts'

const root = '/instance/v1/zones/:zone/servers'

export const serverRoutes = (cloud: Cloud): Route[] => {
  const { state, machines, transitions } = cloud
  const serverOf = ({ params, place }: Ask) => mustFind(cloud, 'servers', params.id!, place)

  const add = ({ body, place }: Ask) => {
    const project_id = projectOf(cloud, body, 'instance_server')
    require(body, 'commercial_type', 'image', ...(body.image ? [] : ['volumes']))
    const volume = rootVolume(body)
    const ips = (texts(body, 'public_ips') ?? []).map(id => mustFind(cloud, 'instance_ips', id, place))
    refuseMany(ips)
    const group = text(body, 'security_group')
    const server = addServer(cloud, place, {
      name: text(body, 'name') ?? `srv-${uuid().slice(0, 8)}`,
      tags: texts(body, 'tags') ?? [],
      commercial_type: commercialType(body)!,
      image_id: text(body, 'image')!,
      project_id,
      security_group_id: group
        ? mustFind(cloud, 'security_groups', group, place).id
        : defaultSecurityGroup(cloud, place, project_id).id,
      ...volume,
      boot_type: text(body, 'boot_type') ?? 'local',
      protected: flag(body, 'protected') ?? false,
      dynamic_ip_required: flag(body, 'dynamic_ip_required') ?? true,
      as_of: dayOf.server(body),
    })
    for (const ip of ips) moveIp(cloud, ip, server.id)
    return created({ server: showServer(cloud, server) })
  }

  const change = (ask: Ask) => {
    const { body, place } = ask
    const placement = text(body, 'placement_group')
    if (placement && !isUuid(placement)) throw constraint('placement_group', 'not a valid value')
    const server = serverOf(ask)
    const type = commercialType(body)
    if (type && type !== server.commercial_type) {
      if (server.state !== 'stopped') throw constraint('commercial_type', 'server should be stopped')
      if (serverTypes[type]!.arch !== serverTypes[server.commercial_type]!.arch)
        throw constraint('commercial_type', 'has another architecture')
    }
    const group = object(body, 'security_group')
    const groupId = group && mustFind(cloud, 'security_groups', text(group, 'id') ?? '', place).id
    const ips = texts(body, 'public_ips')?.map(id => mustFind(cloud, 'instance_ips', id, place))
    refuseMany(ips ?? [])
    server.commercial_type = type ?? server.commercial_type
    server.name = text(body, 'name') ?? server.name
    server.tags = texts(body, 'tags') ?? server.tags
    server.protected = flag(body, 'protected') ?? server.protected
    server.dynamic_ip_required = flag(body, 'dynamic_ip_required') ?? server.dynamic_ip_required
    server.boot_type = text(body, 'boot_type') ?? server.boot_type
    server.security_group_id = groupId ?? server.security_group_id
    server.updated_at = now()
    if (ips) {
      for (const ip of byId(state.instance_ips))
        if (ip.server_id === server.id && !ips.includes(ip)) moveIp(cloud, ip, null)
      for (const ip of ips) moveIp(cloud, ip, server.id)
    }
    if (groupId) syncServer(cloud, server.id)
    return ok({ server: showServer(cloud, server) })
  }

  const remove = async (ask: Ask) => {
    const server = serverOf(ask)
    refuseNode(server)
    if (server.state !== 'stopped' && server.state !== 'locked')
      throw invalid({ argument_name: 'server', reason: 'constraint', help_message: 'server should be stopped' })
    try {
      await transitions.queue(server.id, () => machines.serverDelete(server.id))
    } catch (thrown) {
      lockServer(cloud, server.id, 'deletion failed')
      throw broken(`server ${server.name}: ${reasonOf(thrown)}`)
    }
    forgetServer(cloud, server.id)
    return noContent
  }

  return [
    route('POST', root, add),
    route('GET', root, ask => {
      const network = ask.query.get('private_network')
      const rows = byId(state.servers).filter(
        it =>
          it.zone === ask.place &&
          nameHas(ask, it.name) &&
          allTags(ask, it.tags) &&
          asks(ask, 'project', it.project_id) &&
          asks(ask, 'state', it.state) &&
          asks(ask, 'commercial_type', it.commercial_type) &&
          asks(ask, 'servers', it.id) &&
          (!network || nicsOf(cloud, it.id).some(nic => nic.private_network_id === network)),
      )
      return instancePage('servers', rows, ask, it => showServer(cloud, it))
    }),
    route('GET', `${root}/:id`, ask => ok({ server: showServer(cloud, serverOf(ask)) })),
    route('PATCH', `${root}/:id`, change),
    route('DELETE', `${root}/:id`, remove),
  ]
}

type NewServer = Pick<Server, 'name' | 'project_id' | 'tags' | 'commercial_type' | 'image_id' | 'security_group_id'> & {
  size: number
  boot: boolean
} & Partial<Server>

/** A stopped server with its root volume. */
export const addServer = (cloud: Cloud, zone: string, { size, ...fields }: NewServer): Server => {
  const id = fields.id ?? uuid()
  const image = findImage(zone, fields.image_id)
  if (!image) throw constraint('image', 'image does not exist in this zone')
  if (image.arch !== serverTypes[fields.commercial_type]!.arch)
    throw constraint('image', `image is for ${image.arch}, ${fields.commercial_type} is not`)
  const volume = addVolume(cloud, {
    ...{ zone, name: `${image.name}_sbs_volume_0`, size, imageId: image.id },
    ...{ serverId: id, projectId: fields.project_id },
  })
  const server: Server = {
    ...{ id, zone, volume_id: volume.id, boot_type: 'local', state: 'stopped', state_detail: '', protected: false },
    ...{ dynamic_ip_required: false, dynamic_address: null, mac_address: newMac(cloud, 'de:00:00') },
    ...{ user_data: {}, node_id: null, ...dated() },
    ...fields,
  }
  cloud.state.servers[id] = server
  return server
}

/** What goes with a server: NICs and their automatic addresses. Volumes and flexible IPs stay, detached. */
export const forgetServer = (cloud: Cloud, id: string) => {
  const { state } = cloud
  const server = state.servers[id]
  if (!server) return
  for (const nic of nicsOf(cloud, id)) {
    release(cloud, nic.id)
    cloud.transitions.cancel(nic.id)
    delete state.private_nics[nic.id]
  }
  for (const ip of byId(state.instance_ips)) if (ip.server_id === id) ip.server_id = null
  detachVolume(cloud, server.volume_id)
  cloud.transitions.cancel(id)
  delete state.servers[id]
}

/** A node's Instance belongs to its pool, and its machine is not one of ours to stop. */
export const refuseNode = ({ node_id }: Server) => {
  if (node_id) throw precondition('managed_resource', 'server is managed by Kubernetes Kapsule')
}

const commercialType = (body: Body): string | undefined => {
  const type = text(body, 'commercial_type')
  if (type !== undefined && !serverTypes[type]) throw constraint('commercial_type', 'not a valid value')
  return type
}

const rootVolume = (body: Body) => {
  const { 0: first, ...more } = object(body, 'volumes') ?? {}
  if (Object.keys(more).length) throw constraint('volumes', 'this emulator gives one volume to a server')
  const volume = (first ?? {}) as Body
  const type = text(volume, 'volume_type')
  if (type && type !== 'sbs_volume') throw constraint('volumes', 'this emulator has SBS volumes only')
  return { size: count(volume, 'size') ?? 10_000_000_000, boot: flag(volume, 'boot') ?? false }
}

/** As the documentation says; nothing recorded tells in which words. */
const refuseMany = (ips: unknown[]) => {
  if (ips.length > 5) throw constraint('public_ips', 'a server takes five flexible IPs')
}
