import { constraint, exists, invalid, ok, transient } from './answer.ts'
import { serverTypes, tooSmallForNodes } from './catalogue.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { type Body, count, flag, object, objects, oneOf, require, text, textMap, texts } from './fields.ts'
import { idleCluster, settleCluster, startCluster } from './k8s-cluster-states.ts'
import { dayOfCluster } from './k8s-cluster-view.ts'
import { bringNodes, kapsuleGroup, nodesOf, relabel, removeNodes, waitForWayOut } from './k8s-nodes.ts'
import { asks, nameHas, page } from './lists.ts'
import type { Cluster, Pool } from './records.ts'
import { asOf } from './releases.ts'
import { type Ask, type Route, route } from './router.ts'
import { addSecurityGroup } from './security-groups.ts'

const root = '/k8s/v1/regions/:region'
const seconds = { scale: 46, empty: 5, delete: 75, deleteEmpty: 15 }

export const poolRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions } = cloud
  const poolOf = ({ params, place }: Ask) => mustFind(cloud, 'pools', params.id!, place)
  const clusterOf = ({ params, place }: Ask) => mustFind(cloud, 'clusters', params.id!, place)
  const reads = new Map<string, number>()

  const show = (pool: Pool) => {
    const read = (reads.get(pool.id) ?? 0) + 1
    reads.set(pool.id, read)
    // By their keys, and now and then the other way round: their order says nothing.
    const taints = read % 7 === 3 ? pool.taints.toReversed() : pool.taints
    const day = dayOfCluster(cloud, state.clusters[pool.cluster_id])
    return asOf('pool', day, { ...pool, taints, new_images_enabled: true })
  }

  const living = (ask: Ask) => {
    const pool = poolOf(ask)
    if (pool.status === 'deleting') throw transient('pool', pool.id, pool.status)
    return pool
  }

  const change = (ask: Ask) => {
    const { body } = ask
    const pool = living(ask)
    const upgrade = object(body, 'upgrade_policy') ?? {}
    pool.size = count(body, 'size') ?? pool.size
    pool.min_size = count(body, 'min_size') ?? pool.min_size
    pool.max_size = Math.max(count(body, 'max_size') ?? pool.max_size, pool.size)
    pool.autoscaling = flag(body, 'autoscaling') ?? pool.autoscaling
    pool.autohealing = flag(body, 'autohealing') ?? pool.autohealing
    pool.tags = texts(body, 'tags') ?? pool.tags
    pool.kubelet_args = textMap(body, 'kubelet_args') ?? pool.kubelet_args
    pool.upgrade_policy = {
      max_unavailable: count(upgrade, 'max_unavailable') ?? pool.upgrade_policy.max_unavailable,
      max_surge: count(upgrade, 'max_surge') ?? pool.upgrade_policy.max_surge,
    }
    pool.updated_at = now()
    if (pool.size !== nodesOf(cloud, pool.id).length || pool.status === 'warning') scale(cloud, pool)
    relabel(cloud, pool) // tags may name labels and taints
    return ok(show(pool))
  }

  const remove = (ask: Ask) => {
    const pool = poolOf(ask)
    const empty = nodesOf(cloud, pool.id).length === 0
    pool.status = 'deleting'
    pool.updated_at = now()
    transitions.start('pool deletion', pool.id, empty ? seconds.deleteEmpty : seconds.delete)
    return ok(show(pool))
  }

  const set = (ask: Ask, fields: Partial<Pool>) => {
    const pool = Object.assign(living(ask), fields, { updated_at: now() })
    relabel(cloud, pool)
    return ok(show(pool))
  }

  defineTransitions(cloud)
  return [
    route('POST', `${root}/clusters/:id/pools`, ask => {
      const cluster = clusterOf(ask)
      // Further pools may come while the first one gives the cluster its control plane.
      const starting = cluster.status === 'creating' && cluster.iam_nodes_group_id !== ''
      if (cluster.status !== 'updating' && !starting) idleCluster(cluster)
      const pool = addPool(cloud, cluster, ask.body)
      startCluster(cloud, cluster)
      return ok(show(pool))
    }),
    route('GET', `${root}/clusters/:id/pools`, ask => {
      const cluster = clusterOf(ask)
      const rows = byId(state.pools).filter(
        it => it.cluster_id === cluster.id && nameHas(ask, it.name) && asks(ask, 'status', it.status),
      )
      return page('pools', rows.map(show), ask)
    }),
    route('GET', `${root}/pools/:id`, ask => ok(show(poolOf(ask)))),
    route('PATCH', `${root}/pools/:id`, change),
    route('DELETE', `${root}/pools/:id`, remove),
    route('PUT', `${root}/pools/:id/set-labels`, ask => set(ask, { labels: textMap(ask.body, 'labels') ?? {} })),
    route('PUT', `${root}/pools/:id/set-taints`, ask => set(ask, { taints: taints(ask.body, 'taints') })),
    route('PUT', `${root}/pools/:id/set-startup-taints`, ask =>
      set(ask, { startup_taints: taints(ask.body, 'startup_taints') }),
    ),
  ]
}

/** A pool that starts to make its nodes. */
export const addPool = (cloud: Cloud, cluster: Cluster, body: Body): Pool => {
  const { state } = cloud
  require(body, 'name', 'node_type', 'size')
  const name = text(body, 'name')!
  const twin = byId(state.pools).find(it => it.cluster_id === cluster.id && it.name === name)
  if (twin) throw exists('pool', twin.id, 'a pool with this name exists in the cluster')
  const size = count(body, 'size')!
  const zone = text(body, 'zone') ?? `${cluster.region}-1`
  const asked = text(body, 'security_group_id')
  const upgrade = object(body, 'upgrade_policy') ?? {}
  const volumeType = text(body, 'root_volume_type')
  const pool: Pool = {
    ...{ id: uuid(), name, tags: texts(body, 'tags') ?? [], region: cluster.region, zone, cluster_id: cluster.id },
    ...{ status: 'scaling', version: cluster.version, node_type: nodeType(text(body, 'node_type')!) },
    ...{ autoscaling: flag(body, 'autoscaling') ?? false, autohealing: flag(body, 'autohealing') ?? false },
    ...{ size, min_size: count(body, 'min_size') ?? 0, max_size: count(body, 'max_size') ?? size },
    ...{ container_runtime: text(body, 'container_runtime') ?? 'containerd' },
    ...{ placement_group_id: text(body, 'placement_group_id') ?? null },
    kubelet_args: textMap(body, 'kubelet_args') ?? {},
    upgrade_policy: {
      max_unavailable: count(upgrade, 'max_unavailable') ?? 1,
      max_surge: count(upgrade, 'max_surge') ?? 0,
    },
    root_volume_type: !volumeType || volumeType === 'default_volume_type' ? 'sbs_5k' : volumeType,
    root_volume_size: count(body, 'root_volume_size') || 20_000_000_000,
    public_ip_disabled: flag(body, 'public_ip_disabled') ?? false,
    security_group_id: asked
      ? mustFind(cloud, 'security_groups', asked, zone).id
      : groupForNodes(cloud, zone, cluster.project_id),
    ...{ labels: textMap(body, 'labels') ?? {}, taints: taints(body, 'taints') },
    ...{ startup_taints: taints(body, 'startup_taints'), error_message: null, ...dated() },
  }
  state.pools[pool.id] = pool
  scale(cloud, pool)
  return pool
}

const scale = ({ transitions }: Cloud, pool: Pool) => {
  Object.assign(pool, { status: 'scaling', error_message: null })
  transitions.start('pool scaling', pool.id, pool.size ? seconds.scale : seconds.empty)
}

const groupForNodes = (cloud: Cloud, zone: string, project_id: string): string =>
  (
    byId(cloud.state.security_groups).find(
      it => it.name === kapsuleGroup && it.zone === zone && it.project_id === project_id,
    ) ?? addSecurityGroup(cloud, zone, { name: kapsuleGroup, project_id, inbound_default_policy: 'drop' })
  ).id

/** "DEV1-M" is answered as "dev1_m". */
const nodeType = (asked: string): string => {
  const normal = asked.toLowerCase().replaceAll('-', '_')
  if (!serverTypes[normal.toUpperCase().replaceAll('_', '-')]) throw constraint('node_type', 'not a valid value')
  if (tooSmallForNodes.includes(normal)) throw constraint('node_type', 'is not eligible for Kubernetes')
  return normal
}

const taints = (body: Body, key: string): Pool['taints'] =>
  (objects(body, key) ?? [])
    .map(it => {
      if (!text(it, 'key')) throw invalid({ argument_name: key, reason: 'required', help_message: 'a taint has a key' })
      const effect = oneOf(it, 'effect', ['NoSchedule', 'PreferNoSchedule', 'NoExecute']) ?? 'NoSchedule'
      return { key: text(it, 'key')!, value: text(it, 'value') ?? '', effect }
    })
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))

const defineTransitions = (cloud: Cloud) => {
  const { state, transitions } = cloud
  transitions.define('pool scaling', {
    async effect(id) {
      if (await waitForWayOut(cloud, id)) await bringNodes(cloud, id)
    },
    done(id) {
      const pool = state.pools[id]
      if (!pool) return
      Object.assign(pool, { status: 'ready', updated_at: now() })
      if (state.clusters[pool.cluster_id]?.status === 'pool_required') settleCluster(cloud, pool.cluster_id)
    },
    failed(id, reason) {
      const pool = state.pools[id]
      if (pool) Object.assign(pool, { status: 'warning', error_message: reason, updated_at: now() })
    },
  })
  transitions.define('pool deletion', {
    effect: id => removeNodes(cloud, id),
    done(id) {
      const cluster = state.pools[id]?.cluster_id
      delete state.pools[id]
      if (cluster && state.clusters[cluster]?.status === 'ready') settleCluster(cloud, cluster)
    },
    failed(id, reason) {
      const pool = state.pools[id]
      if (pool) Object.assign(pool, { status: 'locked', error_message: reason, updated_at: now() })
    },
  })
}
