import { instanceAddresses, takePublic } from './addresses.ts'
import { accepted, constraint, precondition } from './answer.ts'
import { byId, type Cloud, mustFind, now, pythonDate, uuid } from './cloud.ts'
import { oneOf, require } from './fields.ts'
import type { Server, ServerState } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { allowedActions } from './server-view.ts'
import { forgetServer, refuseNode } from './servers.ts'
import { serverSpec } from './specs.ts'
import { lockServer } from './sync.ts'

const actions = ['poweron', 'poweroff', 'reboot', 'terminate', 'stop_in_place'] as const
type Action = (typeof actions)[number]

/** The state an action passes through, and how long it takes. */
const passing: Record<Action, { state: ServerState; detail: string; seconds: number }> = {
  poweron: { state: 'starting', detail: 'allocating node', seconds: 6 },
  poweroff: { state: 'stopping', detail: 'stopping', seconds: 40 },
  stop_in_place: { state: 'stopping', detail: 'stopping', seconds: 40 },
  reboot: { state: 'running', detail: 'rebooting', seconds: 10 },
  terminate: { state: 'stopping', detail: 'terminating', seconds: 15 },
}

export const serverActionRoutes = (cloud: Cloud): Route[] => {
  const { transitions } = cloud

  const act = ({ params, place, body }: Ask) => {
    const server = mustFind(cloud, 'servers', params.id!, place)
    require(body, 'action')
    const action = oneOf(body, 'action', actions)!
    refuseNode(server)
    if (server.protected && action !== 'poweron') throw precondition('protected_resource', 'server is protected', 400)
    if (!allowedActions(server).includes(action) || (action === 'reboot' && server.state_detail === 'rebooting'))
      throw constraint('action', `${action} is not possible while the server is ${server.state}`)
    if (action === 'poweron') lendAddress(cloud, server)
    const { state, detail, seconds } = passing[action]
    Object.assign(server, { state, state_detail: detail, updated_at: now() })
    transitions.start(`server ${action}`, server.id, seconds)
    return accepted({
      task: {
        ...{ id: uuid(), description: description(action), status: 'pending' },
        ...{ href_from: `/servers/${server.id}/action`, href_result: `/servers/${server.id}` },
        ...{ started_at: pythonDate(now()), terminated_at: null, progress: 0, zone: place },
      },
    })
  }

  defineTransitions(cloud)
  return [
    route('GET', '/instance/v1/zones/:zone/servers/:id/action', ({ params, place }) => ({
      status: 200,
      body: { actions: allowedActions(mustFind(cloud, 'servers', params.id!, place)) },
    })),
    route('POST', '/instance/v1/zones/:zone/servers/:id/action', act),
  ]
}

const description = (action: Action) => (action === 'poweron' ? 'server_batch_poweron' : `server_${action}`)

/** `dynamic_ip_required`: an address for as long as it runs, unless it has its own. */
const lendAddress = (cloud: Cloud, server: Server) => {
  const own = byId(cloud.state.instance_ips).some(it => it.server_id === server.id)
  if (!server.dynamic_ip_required || own || server.dynamic_address) return
  const pool = cloud.machines.internet.instancePool
  server.dynamic_address = takePublic(pool, instanceAddresses(cloud), 'instances_ips')
}

const defineTransitions = (cloud: Cloud) => {
  const { state, transitions, machines } = cloud
  const set = (id: string, change: Partial<Server>) => {
    const server = state.servers[id]
    if (server) Object.assign(server, change, { updated_at: now() })
  }
  const up = async (id: string) => {
    const server = state.servers[id]
    if (server) await machines.serverUp(serverSpec(cloud, server))
  }
  const running = (id: string) => set(id, { state: 'running', state_detail: 'booting kernel' })

  transitions.define('server poweron', {
    effect: up,
    done: running,
    failed: id => lockServer(cloud, id, 'boot failed'),
  })
  transitions.define('server reboot', {
    async effect(id) {
      await machines.serverOff(id)
      await up(id)
    },
    done: running,
    failed: id => lockServer(cloud, id, 'reboot failed'),
  })
  transitions.define('server poweroff', {
    effect: id => machines.serverOff(id),
    done: id => set(id, { state: 'stopped', state_detail: '', dynamic_address: null }),
    failed: id => lockServer(cloud, id, 'poweroff failed'),
  })
  transitions.define('server stop_in_place', {
    effect: id => machines.serverOff(id),
    done: id => set(id, { state: 'stopped in place', state_detail: '' }),
    failed: id => lockServer(cloud, id, 'stop failed'),
  })
  transitions.define('server terminate', {
    effect: id => machines.serverDelete(id),
    done: id => forgetServer(cloud, id),
    failed: id => lockServer(cloud, id, 'termination failed'),
  })
}
