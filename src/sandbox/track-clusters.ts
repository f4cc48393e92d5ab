import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from './machines/files.ts'
import type { MachinesParts } from './machines/machines.ts'
import type { Clusters } from './ports.ts'
import type { State } from './state.ts'

/** Where a control plane listens for what comes from inside its cluster, and the certificate to show there. */
export type InCluster = { socket: string; certificate: string; key: string }

type Parts = {
  state: State
  changed(): void
  directory: string
  serveApi: MachinesParts['serveApi']
}

export const kubeconfigFile = (directory: string, { name }: { name: string }): string =>
  join(directory, `kubeconfig-${name.replace(/[^A-Za-z0-9._-]/g, '-')}.yaml`)

/**
 * The control planes as the emulated cloud sees them, plus what only the sandbox does with them: a kubeconfig for its
 * operator, and the API's address inside each cluster.
 */
export const trackClusters = (
  inner: Clusters & { inCluster(id: string): InCluster | null },
  { state, changed, directory, serveApi }: Parts,
): Clusters & { serveAll(): Promise<void> } => {
  const serve = async (id: string) => {
    const at = inner.inCluster(id)
    if (at) await serveApi(id, at)
  }
  const write = (cluster: { id: string; name: string }) =>
    replaceFile(kubeconfigFile(directory, cluster), inner.kubeconfig(cluster.id, `sandbox-${cluster.name}`))
  return {
    async create(cluster) {
      await inner.create(cluster)
      const { id, name } = cluster
      if (!state.clusters.some(it => it.id === id)) state.clusters.push({ id, name })
      write(cluster)
      changed()
    },
    async delete(id) {
      await inner.delete(id)
      for (const it of state.clusters.filter(it => it.id === id)) rmSync(kubeconfigFile(directory, it), { force: true })
      state.clusters = state.clusters.filter(it => it.id !== id)
      changed()
    },
    async addNode(clusterId, node) {
      await inner.addNode(clusterId, node)
      await serve(clusterId)
    },
    updateNode: (clusterId, name, change) => inner.updateNode(clusterId, name, change),
    removeNode: (clusterId, name) => inner.removeNode(clusterId, name),
    kubeconfig: (id, contextName) => inner.kubeconfig(id, contextName),
    async serveAll() {
      for (const it of state.clusters) {
        write(it)
        await serve(it.id)
      }
    },
  }
}
