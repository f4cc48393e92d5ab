import { transient } from './answer.ts'
import { byId, type Cloud, now } from './cloud.ts'
import type { Cluster } from './records.ts'

const seconds = { start: 10, update: 5 }

/** A cluster takes one change at a time; being without a pool is no obstacle. */
export const idleCluster = (cluster: Cluster): Cluster => {
  if (['creating', 'updating', 'deleting'].includes(cluster.status))
    throw transient('cluster', cluster.id, cluster.status)
  return cluster
}

/** With its first pool a cluster is made ready, which takes a while and is called creating again. */
export const startCluster = ({ transitions }: Cloud, cluster: Cluster) => {
  if (cluster.status !== 'pool_required') return
  cluster.status = 'creating'
  cluster.updated_at = now()
  transitions.start('cluster start', cluster.id, seconds.start)
}

export const updating = ({ transitions }: Cloud, cluster: Cluster) => {
  cluster.status = 'updating'
  cluster.updated_at = now()
  transitions.start('cluster update', cluster.id, seconds.update)
}

/** Ready when a pool is, waiting for one otherwise. */
export const settleCluster = ({ state }: Cloud, id: string) => {
  const cluster = state.clusters[id]
  if (!cluster || cluster.status === 'deleting' || cluster.status === 'locked') return
  const pools = byId(state.pools).filter(it => it.cluster_id === id)
  const serving = pools.some(it => it.status === 'ready' || (cluster.status === 'ready' && it.status !== 'deleting'))
  Object.assign(cluster, { status: serving ? 'ready' : 'pool_required', updated_at: now() })
}
