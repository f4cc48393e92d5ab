import { attach, release } from './addresses.ts'
import { created, noContent, notFound, ok } from './answer.ts'
import { byId, type Cloud, dated, mustFind, newMac, now, uuid } from './cloud.ts'
import { require, text, texts } from './fields.ts'
import { allTags, asks, instancePage, page } from './lists.ts'
import type { PrivateNetwork, PrivateNic, Server } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { showNic } from './server-view.ts'
import { nicsOf } from './specs.ts'
import { bringServer, syncServer } from './sync.ts'

const root = '/instance/v1/zones/:zone/servers/:id/private_nics'

/** A NIC that is there at once; what follows on a running server is the caller's. */
export const addNic = (
  cloud: Cloud,
  server: Server,
  network: PrivateNetwork,
  { booked, tags = [] }: { booked?: string[] | undefined; tags?: string[] } = {},
): PrivateNic => {
  const id = uuid()
  const mac_address = newMac(cloud, '02:00:00')
  // IPAM spells MACs in upper case, the Instance API in lower.
  const resource = { type: 'instance_private_nic', id, mac_address: mac_address.toUpperCase(), name: server.name }
  const ips = attach(cloud, network, resource, { booked, ipv6: true })
  const nic: PrivateNic = {
    ...{ id, zone: server.zone, server_id: server.id, private_network_id: network.id, mac_address },
    ...{ state: 'available', tags, ipam_ip_ids: ips.map(it => it.id), ...dated() },
  }
  cloud.state.private_nics[id] = nic
  return nic
}

export const privateNicRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions } = cloud
  const serverOf = ({ params, place }: Ask) => mustFind(cloud, 'servers', params.id!, place)
  const nicOf = (ask: Ask) => {
    const server = serverOf(ask)
    const nic = mustFind(cloud, 'private_nics', ask.params.nic!, ask.place)
    if (nic.server_id !== server.id) throw notFound('instance_private_nic', nic.id)
    return nic
  }

  const setState = (id: string, value: PrivateNic['state']) => {
    const nic = state.private_nics[id]
    if (nic) Object.assign(nic, { state: value, updated_at: now() })
  }
  transitions.define('private NIC change', {
    async effect(id) {
      const server = state.private_nics[id]?.server_id
      if (server) await transitions.queue(server, () => bringServer(cloud, server))
    },
    done: id => setState(id, 'available'),
    failed: id => setState(id, 'syncing_error'),
  })

  /** Recordings have this list empty only: what a row looks like follows the neighbours. */
  const showInterface = ({ created_at, updated_at, state: status, ...it }: PrivateNic) => ({
    ...it,
    ...{ status, project_id: state.servers[it.server_id]?.project_id, created_at, updated_at },
  })

  return [
    // The next version of the same list, without a parent in its path.
    route('GET', '/instance/v2alpha1/zones/:zone/private-network-interfaces', ask => {
      const rows = byId(state.private_nics).filter(
        it =>
          it.zone === ask.place &&
          asks(ask, 'server_ids', it.server_id) &&
          asks(ask, 'private_network_ids', it.private_network_id) &&
          asks(ask, 'project_id', state.servers[it.server_id]?.project_id),
      )
      return page('private_network_interfaces', rows.map(showInterface), ask)
    }),
    route('POST', root, ask => {
      const server = serverOf(ask)
      require(ask.body, 'private_network_id')
      const region = ask.place.slice(0, ask.place.lastIndexOf('-'))
      const network = mustFind(cloud, 'private_networks', text(ask.body, 'private_network_id')!, region)
      const [booked, tags] = [texts(ask.body, 'ipam_ip_ids'), texts(ask.body, 'tags') ?? []]
      const nic = addNic(cloud, server, network, { booked, tags })
      if (server.state !== 'stopped') {
        nic.state = 'syncing'
        transitions.start('private NIC change', nic.id, 30)
      }
      return created({ private_nic: showNic(nic) })
    }),
    route('GET', root, ask => {
      const rows = nicsOf(cloud, serverOf(ask).id).filter(it => allTags(ask, it.tags))
      return instancePage('private_nics', rows.map(showNic), ask)
    }),
    route('GET', `${root}/:nic`, ask => ok({ private_nic: showNic(nicOf(ask)) })),
    route('PATCH', `${root}/:nic`, ask => {
      const nic = nicOf(ask)
      nic.tags = texts(ask.body, 'tags') ?? nic.tags
      nic.updated_at = now()
      return ok({ private_nic: showNic(nic) })
    }),
    route('DELETE', `${root}/:nic`, ask => {
      const nic = nicOf(ask)
      release(cloud, nic.id)
      transitions.cancel(nic.id)
      delete state.private_nics[nic.id]
      syncServer(cloud, nic.server_id)
      return noContent
    }),
  ]
}
