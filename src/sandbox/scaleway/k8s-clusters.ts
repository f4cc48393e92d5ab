import { projectOf } from './account.ts'
import { constraint, exists, invalid, ok } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { type Body, flag, object, objects, oneOf, require, text, texts } from './fields.ts'
import { formatAddress, overlaps, parseRange } from './ipv4.ts'
import { defineClusterLife } from './k8s-cluster-life.ts'
import { idleCluster, updating } from './k8s-cluster-states.ts'
import { given, showCluster } from './k8s-cluster-view.ts'
import { addPool } from './k8s-pools.ts'
import { cnis, resolveVersion } from './k8s-versions.ts'
import { asks, nameHas, page } from './lists.ts'
import type { Cluster } from './records.ts'
import { dayOf } from './releases.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/k8s/v1/regions/:region/clusters'
const types = ['', 'kapsule', 'kapsule-dedicated-4', 'kapsule-dedicated-8', 'kapsule-dedicated-16'] as const
const seconds = { create: 5, delete: 15 }

export const clusterRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions } = cloud
  const clusterOf = ({ params, place }: Ask) => mustFind(cloud, 'clusters', params.id!, place)

  const add = ({ body, place }: Ask) => {
    const project_id = projectOf(cloud, body, 'cluster')
    require(body, 'name', 'version', 'cni', 'private_network_id')
    const network = mustFind(cloud, 'private_networks', text(body, 'private_network_id')!, place)
    const name = text(body, 'name')!
    const twin = byId(state.clusters).find(it => it.name === name && it.project_id === project_id)
    if (twin) throw exists('cluster', twin.id, 'a cluster with this name exists in the project')
    const auto_upgrade = autoUpgrade(body, noUpgrade)
    const service_cidr = text(body, 'service_cidr') ?? '10.32.0.0/20'
    const cluster: Cluster = {
      ...{
        id: uuid(),
        project_id,
        name,
        tags: texts(body, 'tags') ?? [],
        region: place,
        type: oneOf(body, 'type', types) || 'kapsule',
      },
      ...{ description: text(body, 'description') ?? '', status: 'creating' },
      ...{ version: resolveVersion(text(body, 'version')!, auto_upgrade.enabled), cni: oneOf(body, 'cni', cnis)! },
      ...{ private_network_id: network.id, pod_cidr: text(body, 'pod_cidr') ?? '100.64.0.0/15', service_cidr },
      service_dns_ip: text(body, 'service_dns_ip') ?? formatAddress((parseRange(service_cidr)?.base ?? 0) + 10),
      ...{ auto_upgrade, settings: settings(body, {}), iam_nodes_group_id: '', delete_network: false },
      as_of: dayOf.cluster(body),
      acls: [{ id: uuid(), ip: '0.0.0.0/0', scaleway_ranges: null, description: '' }],
      ...dated(),
    }
    checkRanges(cluster, network.subnets[0]!.subnet)
    state.clusters[cluster.id] = cluster
    for (const pool of objects(body, 'pools') ?? []) addPool(cloud, cluster, pool)
    transitions.start('cluster creation', cluster.id, seconds.create)
    return ok(showCluster(cloud, cluster))
  }

  const change = (ask: Ask) => {
    const { body } = ask
    const cluster = idleCluster(clusterOf(ask))
    cluster.name = text(body, 'name') ?? cluster.name
    cluster.tags = texts(body, 'tags') ?? cluster.tags
    cluster.description = text(body, 'description') ?? cluster.description
    cluster.auto_upgrade = autoUpgrade(body, cluster.auto_upgrade)
    cluster.settings = settings(body, cluster.settings)
    updating(cloud, cluster)
    return ok(showCluster(cloud, cluster))
  }

  const remove = (ask: Ask) => {
    const cluster = clusterOf(ask)
    cluster.delete_network = ask.query.get('with_additional_resources') === 'true'
    cluster.status = 'deleting'
    cluster.updated_at = now()
    for (const pool of byId(state.pools).filter(it => it.cluster_id === cluster.id)) {
      transitions.cancel(pool.id)
      pool.status = 'deleting'
    }
    transitions.start('cluster deletion', cluster.id, seconds.delete)
    return ok(showCluster(cloud, cluster))
  }

  defineClusterLife(cloud)
  return [
    route('POST', root, add),
    route('GET', root, ask => {
      const rows = byId(state.clusters).filter(
        it =>
          it.region === ask.place &&
          nameHas(ask, it.name) &&
          asks(ask, 'project_id', it.project_id) &&
          asks(ask, 'private_network_id', it.private_network_id) &&
          asks(ask, 'status', it.status) &&
          asks(ask, 'type', it.type),
      )
      return page(
        'clusters',
        rows.map(it => showCluster(cloud, it, true)),
        ask,
      )
    }),
    route('GET', `${root}/:id`, ask => ok(showCluster(cloud, clusterOf(ask), true))),
    route('PATCH', `${root}/:id`, change),
    route('DELETE', `${root}/:id`, remove),
  ]
}

const kept = [
  'autoscaler_config',
  'feature_gates',
  'admission_plugins',
  'open_id_connect_config',
  'apiserver_cert_sans',
]

const settings = (body: Body, before: Body): Body => ({
  ...before,
  ...Object.fromEntries(kept.filter(key => body[key] !== undefined && body[key] !== null).map(key => [key, body[key]])),
})

const noUpgrade: Cluster['auto_upgrade'] = { enabled: false, maintenance_window: { start_hour: 0, day: 'any' } }

const autoUpgrade = (body: Body, before: Cluster['auto_upgrade']): Cluster['auto_upgrade'] => {
  const asked = object(body, 'auto_upgrade')
  const window = asked && object(asked, 'maintenance_window')
  return {
    enabled: (asked && flag(asked, 'enable')) ?? before.enabled,
    maintenance_window: { ...before.maintenance_window, ...given(window) } as typeof before.maintenance_window,
  }
}

const checkRanges = ({ pod_cidr, service_cidr }: Cluster, subnet: string) => {
  const [pods, services, network] = [parseRange(pod_cidr), parseRange(service_cidr), parseRange(subnet)!]
  if (!pods) throw invalid({ argument_name: 'pod_cidr', reason: 'format', help_message: 'must be an IPv4 network' })
  if (!services)
    throw invalid({ argument_name: 'service_cidr', reason: 'format', help_message: 'must be an IPv4 network' })
  if (overlaps(pods, services)) throw constraint('service_cidr', 'overlaps with pod_cidr')
  if (overlaps(pods, network)) throw constraint('pod_cidr', 'overlaps with the Private Network')
  if (overlaps(services, network)) throw constraint('service_cidr', 'overlaps with the Private Network')
}
