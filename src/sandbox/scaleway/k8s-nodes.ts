import { ipv4Of } from './addresses.ts'
import { ok } from './answer.ts'
import { nodeImage, serverTypes } from './catalogue.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { addInstanceIp, addInstanceIpv6 } from './instance-ips.ts'
import { withoutMask } from './ipv4.ts'
import { nodeLabels, nodeTaints } from './k8s-labels.ts'
import { asks, nameHas, page } from './lists.ts'
import { addNic } from './private-nics.ts'
import type { Node, Pool } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { addServer, forgetServer } from './servers.ts'
import { defaultRouteOf, nicsOf, nodeSpec, publicIpsOf } from './specs.ts'

/** Kapsule makes it for its nodes; it is nobody else's to touch. */
export const kapsuleGroup = 'Kapsule default security group'

const root = '/k8s/v1/regions/:region'
const patienceSeconds = 600
const seconds = { order: 8, install: 12 }

export const nodesOf = ({ state }: Cloud, poolId: string): Node[] =>
  byId(state.nodes).filter(it => it.pool_id === poolId && it.status !== 'deleting')

export const nodeRoutes = (cloud: Cloud): Route[] => {
  const { state } = cloud
  const show = (it: Node) => {
    const server = state.servers[it.server_id]
    const { server_id: _server, ...rest } = it
    return {
      ...rest,
      conditions: conditions(it),
      public_ip_v4: (server && publicIpsOf(cloud, server)[0]) || '',
      public_ip_v6: null,
      provider_id: server ? `scaleway://instance/${server.zone}/${server.id}` : '',
    }
  }
  return [
    route('GET', `${root}/clusters/:id/nodes`, ask => {
      const cluster = mustFind(cloud, 'clusters', ask.params.id!, ask.place)
      const rows = byId(state.nodes).filter(
        it =>
          it.cluster_id === cluster.id &&
          asks(ask, 'pool_id', it.pool_id) &&
          nameHas(ask, it.name) &&
          asks(ask, 'status', it.status),
      )
      return page('nodes', rows.map(show), ask)
    }),
    route('GET', `${root}/nodes/:id`, (ask: Ask) => ok(show(mustFind(cloud, 'nodes', ask.params.id!, ask.place)))),
  ]
}

const conditions = ({ status }: Node) =>
  status === 'creating'
    ? { Creating: 'True', Ready: 'False' }
    : {
        ...{ DiskPressure: 'False', MemoryPressure: 'False', PIDPressure: 'False' },
        Ready: status === 'ready' ? 'True' : 'False',
      }

/** Waits for the cluster, and for a gateway where nodes have no address of their own. False: no longer wanted. */
export const waitForWayOut = async (cloud: Cloud, poolId: string): Promise<boolean> => {
  const { state, transitions } = cloud
  for (let waited = 0; ; waited++) {
    const pool = state.pools[poolId]
    const cluster = pool && state.clusters[pool.cluster_id]
    if (!cluster || pool.status !== 'scaling') return false
    const routed = !pool.public_ip_disabled || defaultRouteOf(cloud, cluster.private_network_id) !== null
    if (cluster.status !== 'creating' && (routed || pool.size === 0)) return true
    if (waited >= patienceSeconds) throw new Error('nodes have no way out: no gateway announces a default route')
    await transitions.wait(1)
  }
}

/** As many nodes as the pool's size says: records first, so that a crash leaves nothing unknown behind. */
export const bringNodes = async (cloud: Cloud, poolId: string): Promise<void> => {
  const { transitions } = cloud
  await transitions.wait(seconds.order)
  const pool = cloud.state.pools[poolId]
  if (!pool) return
  const nodes = nodesOf(cloud, poolId)
  for (const surplus of nodes.slice(pool.size)) surplus.status = 'deleting'
  for (let missing = pool.size - nodes.length; missing > 0; missing--) addNode(cloud, pool)
  const all = byId(cloud.state.nodes).filter(it => it.pool_id === poolId)
  await settle(
    all.map(it => {
      if (it.status === 'deleting') return removeNode(cloud, it)
      return it.status === 'ready'
        ? Promise.resolve()
        : transitions.wait(seconds.install).then(() => joinNode(cloud, it))
    }),
  )
}

/** Boots a node's machine and lets it join its cluster. */
export const joinNode = async (cloud: Cloud, node: Node): Promise<void> => {
  const { state, machines, clusters } = cloud
  try {
    const ordered = state.pools[node.pool_id]
    if (!node.server_id && ordered) addInstance(cloud, node, ordered)
    await machines.nodeUp(nodeSpec(cloud, node))
    const pool = state.pools[node.pool_id]
    if (!pool) return
    const nic = nicsOf(cloud, node.server_id)[0]!
    await clusters.addNode(node.cluster_id, {
      name: node.name,
      address: withoutMask(ipv4Of(cloud, nic.ipam_ip_ids)!),
      labels: nodeLabels(pool, node),
      taints: nodeTaints(pool),
    })
  } catch (thrown) {
    node.status = 'creation_error'
    node.error_message = thrown instanceof Error ? thrown.message : String(thrown)
    throw thrown
  }
  Object.assign(node, { status: 'ready', error_message: '', updated_at: now() })
  const server = state.servers[node.server_id]
  if (server) Object.assign(server, { state: 'running', state_detail: 'booting kernel', updated_at: now() })
}

/** Every node of a pool, in whatever state. */
export const removeNodes = async (cloud: Cloud, poolId: string): Promise<void> => {
  const all = byId(cloud.state.nodes).filter(it => it.pool_id === poolId)
  await settle(all.map(it => removeNode(cloud, it)))
}

const removeNode = async (cloud: Cloud, node: Node): Promise<void> => {
  const { state, machines, clusters } = cloud
  node.status = 'deleting'
  await clusters.removeNode(node.cluster_id, node.name)
  // After a change of its route that may be under way.
  await cloud.transitions.queue(node.id, () => machines.nodeDown(node.id))
  const volume = state.servers[node.server_id]?.volume_id
  for (const ip of byId(state.instance_ips)) if (ip.server_id === node.server_id) delete state.instance_ips[ip.id]
  forgetServer(cloud, node.server_id)
  if (volume) {
    cloud.transitions.cancel(volume)
    delete state.volumes[volume]
  }
  delete state.nodes[node.id]
}

/** Tells the nodes that stand what their pool's labels and taints are now. */
export const relabel = (cloud: Cloud, { id }: Pool) =>
  cloud.transitions.background(
    'relabelling',
    id,
    async () => {
      const pool = cloud.state.pools[id]
      for (const node of pool ? nodesOf(cloud, id) : []) {
        if (node.status !== 'ready') continue
        const change = { labels: nodeLabels(pool!, node), taints: nodeTaints({ ...pool!, startup_taints: [] }) }
        await cloud.clusters.updateNode(node.cluster_id, node.name, change)
      }
    },
    reason => {
      const pool = cloud.state.pools[id]
      if (pool) Object.assign(pool, { status: 'warning', error_message: reason })
    },
  )

/** A node that is ordered; its Instance comes with its installation. */
const addNode = ({ state }: Cloud, pool: Pool) => {
  const cluster = state.clusters[pool.cluster_id]!
  const id = uuid()
  const name = `scw-${cluster.name.slice(0, 17)}-${pool.name.slice(0, 17)}-${id.slice(0, 6)}`
  state.nodes[id] = {
    ...{ id, name, region: pool.region, cluster_id: cluster.id, pool_id: pool.id, server_id: '' },
    ...{ status: 'creating', error_message: '', ...dated() },
  }
}

/** The Instance that a node shows up as. */
const addInstance = (cloud: Cloud, node: Node, pool: Pool) => {
  const { state } = cloud
  const { id, name } = node
  const cluster = state.clusters[pool.cluster_id]!
  const type = pool.node_type.toUpperCase().replaceAll('_', '-')
  // First, since it may be refused: what is not yet made cannot be left behind.
  const own = pool.public_ip_disabled
    ? null
    : addInstanceIp(cloud, pool.zone, cluster.project_id, [`kapsule=${cluster.id}`, `node-name=${name}`])
  const server = addServer(cloud, pool.zone, {
    name,
    project_id: cluster.project_id,
    tags: [
      ...[`kapsule=${cluster.id}`, `pool=${pool.id}`, `pool-name=${pool.name}`, `runtime=${pool.container_runtime}`],
      ...['managed=true', `node=${id}`],
    ],
    commercial_type: type,
    image_id: nodeImage(pool.zone, serverTypes[type]!.arch).id,
    security_group_id: pool.security_group_id,
    as_of: cluster.as_of,
    ...{ size: pool.root_volume_size, boot: true, node_id: id, state: 'starting', state_detail: 'allocating node' },
  })
  addNic(cloud, server, state.private_networks[cluster.private_network_id]!)
  if (own) {
    own.server_id = server.id
    addInstanceIpv6(cloud, own)
  }
  node.server_id = server.id
}

/** All get their chance before the first failure is told. */
const settle = async (work: Promise<void>[]) => {
  const failed = (await Promise.allSettled(work)).find(it => it.status === 'rejected')
  if (failed) throw failed.reason
}
