import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import type { Clusters, Pods, Taint } from '../ports.ts'
import { tokenFor } from './admission/accounts.ts'
import { bootstrap } from './bootstrap.ts'
import { createControl } from './control.ts'
import { nodeObject, poolLabels, poolTaints } from './controllers/nodes.ts'
import { share } from './nodes/addresses.ts'
import type { Pace } from './nodes/kubelet.ts'
import type { Obj } from './objects/object.ts'
import { kind } from './objects/resources.ts'
import type { StoreState } from './objects/store.ts'
import { certificates } from './wire/certificates.ts'
import { createHandlers } from './wire/http.ts'
import { serve } from './wire/server.ts'
import { createWeather } from './wire/weather.ts'

export type ClusterSpec = Parameters<Clusters['create']>[0]
export type NodeState = {
  name: string
  address: string
  podCidr: string
  labels: Record<string, string>
  taints: Taint[]
}
/** All of one cluster as JSON. The token is the admin's: keep it like a key. */
export type ClusterState = {
  spec: ClusterSpec
  port: number
  socket: string
  token: string
  nodes: NodeState[]
  store: StoreState
}
export type Cluster = Awaited<ReturnType<typeof createCluster>>
type Parts = { pods: Pods; directory: string; pace: Pace; onChange(): void }

const manager = 'cloud-controller-manager'
const internal = { manager, internal: true }

/** One cluster: its control plane, its servers, its nodes. Controllers work after `start`. */
export const createCluster = async (
  spec: ClusterSpec,
  saved: ClusterState | undefined,
  { pods, directory, pace, onChange }: Parts,
) => {
  const token = saved?.token ?? randomBytes(24).toString('base64url')
  let ca = ''
  const credentials = (account: Obj) => ({ token: tokenFor(account, token), 'ca.crt': ca })
  const control = createControl({ ...spec, clusterId: spec.id, pods, saved: saved?.store, pace, credentials, onChange })
  const { store, api, apiIp } = control
  const nodes = new Map<string, NodeState>(saved?.nodes.map(it => [it.name, it]))
  const socket = saved?.socket ?? socketPath(directory, spec.id)
  const tls = await certificates(directory, apiIp)
  ca = tls.ca
  let closing = false
  const restart = async (downMs: number) => {
    const { port } = server
    await server.close()
    await sleep(downMs)
    if (!closing) server = await serve(handlers, { port, socket, tls })
  }
  const weather = createWeather()
  const handlers = createHandlers({ store, api, pods, token, version: spec.version, weather, restart })
  let server = await serve(handlers, { port: saved?.port ?? 0, socket, tls })

  const join = async () => {
    const all = [...nodes.values()]
    for (const { name, podCidr } of all) {
      const peers = all.filter(it => it.name !== name).map(it => ({ address: it.address, podCidr: it.podCidr }))
      await pods.joinNode({
        name,
        clusterId: spec.id,
        podCidr,
        clusterPodCidr: spec.podCidr,
        serviceCidr: spec.serviceCidr,
        peers,
      })
    }
  }

  const label = (
    name: string,
    before: Pick<NodeState, 'labels' | 'taints'>,
    next: Pick<NodeState, 'labels' | 'taints'>,
  ) => {
    const node = store.get(kind('Node'), undefined, name)
    if (!node) return
    const taints = poolTaints(node.spec?.taints, before.taints, next.taints)
    const change = (it: Obj) => {
      it.metadata.labels = poolLabels(it.metadata.labels, before.labels, next.labels, name)
      it.spec.taints = taints
    }
    api.modify(kind('Node'), node, change, manager)
  }

  return {
    get port() {
      return server.port
    },
    state: (): ClusterState => ({
      spec,
      port: server.port,
      socket,
      token,
      nodes: [...nodes.values()],
      store: store.state(),
    }),
    /** Tells the machines everything again, and lets the controllers begin. */
    async start() {
      if (!saved) bootstrap(api, { apiIp, dnsIp: spec.dnsIp })
      await join()
      await control.start()
    },
    async addNode({ name, address, labels, taints }: Parameters<Clusters['addNode']>[1]) {
      const known = nodes.get(name)
      const bare = address.split('/')[0]!
      const podCidr = known?.podCidr ?? freeShare(spec.podCidr, [...nodes.values()])
      const next = { name, address: bare, podCidr, labels, taints }
      nodes.set(name, next)
      await join()
      if (!store.get(kind('Node'), undefined, name)) {
        const node = nodeObject({ name, address: bare, podCidr, version: `v${spec.version.replace(/^v/, '')}` })
        node.metadata.labels = poolLabels({}, {}, labels, name)
        node.spec.taints = taints
        api.create(kind('Node'), undefined, node, internal)
      } else label(name, known ?? { labels: {}, taints: [] }, next)
      onChange()
    },
    async updateNode(name: string, change: Pick<NodeState, 'labels' | 'taints'>) {
      const known = nodes.get(name)
      if (!known) throw new Error(`cluster ${spec.name} has no node ${name}`)
      label(name, known, change)
      nodes.set(name, { ...known, ...change })
      onChange()
    },
    async removeNode(name: string) {
      nodes.delete(name)
      const node = store.get(kind('Node'), undefined, name)
      if (node) api.remove(kind('Node'), undefined, name)
      for (const pod of store.list(kind('Pod'))) {
        if (pod.spec.nodeName === name)
          api.remove(kind('Pod'), pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 })
      }
      await control.kubelet.left(name)
      await pods.leaveNode(name)
      await join()
      onChange()
    },
    kubeconfig: (contextName: string): string =>
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': contextName,
        clusters: [
          {
            name: spec.name,
            cluster: {
              server: `https://127.0.0.1:${server.port}`,
              'certificate-authority-data': Buffer.from(tls.ca).toString('base64'),
            },
          },
        ],
        users: [{ name: `${spec.name}-admin`, user: { token } }],
        contexts: [{ name: contextName, context: { cluster: spec.name, user: `${spec.name}-admin` } }],
      }),
    async close() {
      closing = true
      await server.close()
      await control.close()
    },
    /** The cluster is gone: no pod runs, the machines know nothing of it, its directory is removed. */
    async destroy() {
      closing = true
      await server.close()
      await control.close()
      await Promise.all(store.list(kind('Pod')).map(it => pods.stop(it.metadata.uid, 0)))
      for (const { name } of nodes.values()) await pods.leaveNode(name)
      await pods.setPolicies(spec.id, [])
      await pods.setServices(spec.id, [])
      await pods.setNames(spec.id, {})
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The path of a unix socket has at most 107 bytes. */
const socketPath = (directory: string, id: string): string => {
  const path = join(directory, 'api.sock')
  return Buffer.byteLength(path) < 100 ? path : `/tmp/eg-api-${id.slice(0, 8)}-${randomBytes(4).toString('hex')}.sock`
}

const freeShare = (cidr: string, nodes: NodeState[]): string => {
  const taken = new Set(nodes.map(it => it.podCidr))
  for (let index = 0; ; index++) {
    const found = share(cidr, index)
    if (!found) throw new Error(`the pod range ${cidr} has no /24 left for another node`)
    if (!taken.has(found)) return found
  }
}
