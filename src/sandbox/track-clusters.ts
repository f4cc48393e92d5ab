import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ClustersState } from './kubernetes/clusters.ts'
import { replaceFile } from './machines/files.ts'
import type { MachinesParts } from './machines/machines.ts'
import type { Clusters } from './ports.ts'
import type { State } from './state.ts'

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
  inner: Clusters & { state(): ClustersState },
  { state, changed, directory, serveApi }: Parts,
): Clusters & { serveAll(): Promise<void> } => {
  const serve = async (id: string) => {
    const cluster = inner.state().clusters.find(it => it.spec.id === id)
    const file = (name: string) => join(directory, 'kubernetes', id, name)
    if (cluster) await serveApi(id, { socket: cluster.socket, certificate: file('api.crt'), key: file('api.key') })
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
