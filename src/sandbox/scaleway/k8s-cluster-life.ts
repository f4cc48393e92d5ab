import { byId, type Cloud, now, uuid } from './cloud.ts'
import { settleCluster } from './k8s-cluster-states.ts'
import { kapsuleGroup, removeNodes } from './k8s-nodes.ts'
import type { Cluster } from './records.ts'
import { inUse, removeNetwork } from './vpc.ts'

/** What whoever runs the cluster is told of it. */
export const clusterSpec = (it: Cluster) => ({
  ...{ id: it.id, name: it.name, version: it.version, podCidr: it.pod_cidr, serviceCidr: it.service_cidr },
  dnsIp: it.service_dns_ip,
})

/** How a cluster gets from one state to the next. */
export const defineClusterLife = (cloud: Cloud) => {
  const { state, transitions, clusters } = cloud
  const become = (id: string, status: Cluster['status']) => {
    const cluster = state.clusters[id]
    if (cluster) Object.assign(cluster, { status, updated_at: now() })
  }
  const lock = (id: string) => become(id, 'locked')
  const bring = async (id: string) => {
    const cluster = state.clusters[id]
    if (cluster) await clusters.create(clusterSpec(cluster))
  }
  /** With its additional resources goes its network, before the cluster is gone, if nothing else is in it. */
  const removeItsNetwork = async (id: string) => {
    const cluster = state.clusters[id]
    const network = cluster && state.private_networks[cluster.private_network_id]
    if (cluster?.delete_network && network && !inUse(cloud, network.id, id)) await removeNetwork(cloud, network)
  }
  const poolsOf = (id: string) => byId(state.pools).filter(it => it.cluster_id === id)

  transitions.define('cluster creation', {
    effect: bring,
    done(id) {
      const cluster = state.clusters[id]
      if (!cluster) return
      cluster.iam_nodes_group_id = uuid()
      settleCluster(cloud, id)
    },
    failed: lock,
  })
  // Its first pool gives a cluster its control plane; the nodes come after it.
  transitions.define('cluster start', {
    effect: bring,
    done(id) {
      become(id, 'ready')
      settleCluster(cloud, id)
    },
    failed: lock,
  })
  transitions.define('cluster update', {
    // `ready` also without a pool, as seen over there.
    done: id => become(id, 'ready'),
    failed: lock,
  })
  transitions.define('cluster deletion', {
    async effect(id) {
      // After the pools' own queues: a node that is just coming up would otherwise be left behind.
      for (const pool of poolsOf(id)) await transitions.queue(pool.id, () => removeNodes(cloud, pool.id))
      await clusters.delete(id)
      await removeItsNetwork(id)
    },
    done(id) {
      const cluster = state.clusters[id]
      for (const pool of poolsOf(id)) delete state.pools[pool.id]
      delete state.clusters[id]
      const inProject = (it: { project_id: string }) => it.project_id === cluster?.project_id
      const group = byId(state.security_groups).find(it => it.name === kapsuleGroup && inProject(it))
      const used = group && byId(state.servers).some(it => it.security_group_id === group.id)
      if (group && !used && !byId(state.clusters).some(inProject)) delete state.security_groups[group.id]
    },
    failed: lock,
  })
}
