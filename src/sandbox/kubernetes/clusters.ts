import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clusters, Pods } from '../ports.ts'
import type { Cluster, ClusterState } from './cluster.ts'
import { createCluster } from './cluster.ts'
import type { Pace } from './nodes/kubelet.ts'

/** Everything as JSON, to be kept by the caller; it holds the admin tokens. */
export type ClustersState = { clusters: ClusterState[] }

export type ClustersParts = {
  pods: Pods
  /** Where the certificates and sockets are. */
  directory: string
  saved?: ClustersState | undefined
  /** Called at once after every change, often; collect them before writing. */
  onChange(): void
  /** Milliseconds: between looks at young and at old pods, and between restarts of a container that crashes. */
  pace?: Partial<Pace>
}

/**
 * The emulated Kubernetes: one API server and its controllers for each cluster, on 127.0.0.1 and a unix socket.
 * Clusters that were saved answer at once on the port they had; their controllers wait for `reconcile`.
 */
export const createClusters = async ({ pods, directory, saved, onChange, pace = {} }: ClustersParts) => {
  const clusters = new Map<string, Cluster>()
  const creating = new Map<string, Promise<void>>()
  const waiting: Cluster[] = []
  await mkdir(directory, { recursive: true, mode: 0o700 })

  const open = (spec: ClusterState['spec'], state?: ClusterState) =>
    createCluster(spec, state, {
      pods,
      directory: join(directory, spec.id),
      pace: { poll: 100, calm: 500, backoff: 1000, maxBackoff: 60_000, sync: 60_000, ...pace },
      onChange,
    })

  for (const state of saved?.clusters ?? []) {
    const cluster = await open(state.spec, state)
    clusters.set(state.spec.id, cluster)
    waiting.push(cluster)
  }

  const find = (id: string): Cluster => {
    const found = clusters.get(id)
    if (!found) throw new Error(`there is no cluster ${id}`)
    return found
  }

  const result: Clusters & { state(): ClustersState; reconcile(): Promise<void>; close(): Promise<void> } = {
    async create(spec) {
      if (clusters.has(spec.id)) return
      const underway = creating.get(spec.id)
      if (underway) return underway
      const made = open(spec).then(async cluster => {
        await cluster.start()
        clusters.set(spec.id, cluster)
        onChange()
      })
      creating.set(spec.id, made)
      try {
        await made
      } finally {
        creating.delete(spec.id)
      }
    },
    async delete(id) {
      await creating.get(id)
      const cluster = clusters.get(id)
      if (!cluster) return
      await cluster.destroy()
      clusters.delete(id)
      onChange()
    },
    addNode: async (id, node) => find(id).addNode(node),
    updateNode: async (id, name, change) => find(id).updateNode(name, change),
    removeNode: async (id, name) => clusters.get(id)?.removeNode(name),
    kubeconfig: (id, contextName) => find(id).kubeconfig(contextName),
    state: () => ({ clusters: [...clusters.values()].map(it => it.state()) }),
    async reconcile() {
      await Promise.all(waiting.splice(0).map(it => it.start()))
    },
    async close() {
      await Promise.all([...clusters.values()].map(it => it.close()))
    },
  }
  return result
}
