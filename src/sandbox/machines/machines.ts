import { readFileSync } from 'node:fs'
import type { Internet, Machines, Pods } from '../ports.ts'
import { createBackground } from './background.ts'
import { createClusterNetworks } from './cluster-networks.ts'
import { createGateways } from './gateways.ts'
import { makeLayers } from './layers.ts'
import { createLinks } from './links.ts'
import { createNodes } from './nodes.ts'
import { createPods } from './pods.ts'
import { createNames } from './records.ts'
import { createRouter } from './router.ts'
import { createServers } from './servers.ts'
import { at, services, type World } from './world.ts'

/** One line of `sandbox status`; `pid` is the host's pid 1, where it has processes of its own. */
export type Host = {
  id: string
  kind: 'server' | 'gateway' | 'node' | 'pod' | 'dns' | 'internet'
  name: string
  netns: string
  on: boolean
  pid: number | null
  addresses: string[]
  env?: Record<string, string>
}

/** Everything that is a namespace, a link, a rule or a process. `ca` is the file of the CA that hosts trust. */
export const createMachines = async (world: World, ca: string) => {
  const links = createLinks(world)
  await links.up()
  await makeLayers(world, readFileSync(ca, 'utf8'))
  const names = createNames(world)
  const router = createRouter(world, links)
  const background = createBackground(world)
  const servers = createServers(world, links, router, names)
  const gateways = createGateways(world, links, names)
  const nodes = createNodes(world, links, names)
  const clusters = createClusterNetworks(world, nodes, names, background)
  const pods = createPods(world, nodes, clusters, names)
  await router.apply()

  const machines: Machines = {
    internet: internetOf(world),
    async networkUp({ id }) {
      await links.bridge(id)
    },
    networkDown: links.dropBridge,
    gatewayUp: gateways.up,
    gatewayDown: gateways.down,
    serverUp: servers.up,
    serverOff: servers.off,
    serverDelete: servers.delete,
    async nodeUp(spec) {
      const changed = await nodes.up(spec)
      const node = nodes.byName(spec.name)
      // a node that was made anew keeps its place in the cluster
      if (changed && node.join) await clusters.nodeJoined(await nodes.join(spec.name, node.join))
    },
    async nodeDown(id) {
      const node = nodes.list().find(it => it.id === id)
      if (!node) return
      const { clusterId } = nodes.byName(node.name).spec
      await pods.evacuate(node.name)
      await nodes.leave(node.name)
      await nodes.down(id)
      await clusters.nodeLeft(clusterId, node.netns)
    },
  }
  const kubernetes: Pods = {
    ...pods.calls,
    async joinNode({ name, podCidr, clusterPodCidr, serviceCidr }) {
      await clusters.nodeJoined(await nodes.join(name, { podCidr, clusterPodCidr, serviceCidr }))
    },
    async leaveNode(name) {
      const node = nodes.list().find(it => it.name === name)
      if (!node) return
      await pods.evacuate(name)
      await nodes.leave(name)
    },
    setPolicies: clusters.setPolicies,
    setServices: clusters.setServices,
    setNames: clusters.setNames,
  }
  const hosts = (): Host[] => [
    {
      id: 'internet',
      kind: 'internet',
      name: 'internet',
      netns: links.internet,
      on: true,
      pid: null,
      addresses: ownAddresses(world),
    },
    ...gateways.list(),
    ...servers.list(),
    ...nodes.list(),
    ...clusters.list(),
    ...pods.list(),
  ]
  return {
    machines,
    pods: kubernetes,
    background,
    hosts,
    serveApi: clusters.serveApi,
    /** Stops looking after things; everything that runs goes on. */
    close() {
      background.close()
      pods.close()
    },
  }
}

export type MachinesParts = Awaited<ReturnType<typeof createMachines>>

const pool = (world: World, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => at(world, from + n))

const internetOf = (world: World): Internet => ({
  cidr: world.range,
  gatewayPool: pool(world, 10, 39),
  instancePool: pool(world, 40, 109),
  dns: services(world).dns,
})

const ownAddresses = (world: World) => {
  const { router, dns, whatIsMyIp, partner, web } = services(world)
  return [router, dns, whatIsMyIp, partner, web]
}
