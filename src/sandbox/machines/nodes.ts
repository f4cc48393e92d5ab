import type { NodeSpec, Pods } from '../ports.ts'
import type { Links } from './links.ts'
import { dropNetns, ip, makeNetns, netnsExists, nft } from './netns.ts'
import { createRecords, type Names } from './records.ts'
import { turns } from './run.ts'
import { addressOf, linkName, type World } from './world.ts'

export type Join = Pick<Parameters<Pods['joinNode']>[0], 'podCidr' | 'clusterPodCidr' | 'serviceCidr'>
export type Node = { spec: NodeSpec; netns: string; join: Join | null }

/** Pods send everything to this address, which every node has; no address of the pod range is spent on it. */
export const podGateway = '169.254.1.1'

/** Nodes: routers between their pods and the private network. Whatever leaves the cluster leaves as the node. */
export const createNodes = (world: World, links: Links, names: Names) => {
  const records = createRecords<Node>(world, 'nodes')
  const turn = turns()
  for (const [id, { netns }] of records.all) names.remember(netns, id)
  const byName = (name: string): [string, Node] => {
    const found = [...records.all].find(([, it]) => it.spec.name === name)
    if (!found) throw new Error(`node ${name} is not up`)
    return found
  }
  const ofCluster = (clusterId: string) => [...records.all.values()].filter(it => it.spec.clusterId === clusterId)

  /** Every node of the cluster reaches every other one's pods through the private network. */
  const meet = async (clusterId: string) => {
    const joined = ofCluster(clusterId).filter(it => it.join && netnsExists(it.netns))
    for (const node of joined) {
      const peers = joined.filter(it => it !== node)
      const routes = peers.map(it => `route replace ${it.join!.podCidr} via ${addressOf(it.spec.address)} dev eth0`)
      await ip(routes, { ns: node.netns })
    }
  }

  return {
    up: (spec: NodeSpec): Promise<boolean> =>
      turn(spec.id, async () => {
        const known = records.all.get(spec.id)
        const netns = known?.netns ?? names.claim(spec.id, spec.name)
        const fresh = await makeNetns(netns, { forward: true })
        if (!fresh && known && JSON.stringify(known.spec) === JSON.stringify(spec)) return false
        await links.plug(netns, 'eth0', spec.networkId, spec.address)
        const out = spec.defaultRoute === null ? [] : [`route replace default via ${spec.defaultRoute} dev eth0`]
        await ip([`addr replace ${podGateway}/32 dev lo`, ...out], { ns: netns })
        records.keep(spec.id, { spec, netns, join: known?.join ?? null })
        return true
      }),
    down: (id: string) =>
      turn(id, async () => {
        const node = records.all.get(id)
        if (!node) return
        await links.unplug(node.netns, 'eth0')
        await dropNetns([node.netns])
        names.release(node.netns)
        records.drop(id)
      }),
    join: (name: string, join: Join) => {
      const [id] = byName(name)
      return turn(id, async () => {
        const node = { ...byName(name)[1], join }
        records.keep(id, node)
        await nft(node.netns, [{ name: 'node', body: masquerade(join) }])
        await turn(`cluster ${node.spec.clusterId}`, () => meet(node.spec.clusterId))
        return node
      })
    },
    async leave(name: string) {
      const found = [...records.all].find(([, it]) => it.spec.name === name)
      if (!found?.[1].join) return
      const [id, node] = found
      records.keep(id, { ...node, join: null })
      const others = ofCluster(node.spec.clusterId).filter(it => it.join && netnsExists(it.netns))
      for (const it of others) await ip([`route del ${node.join!.podCidr}`], { ns: it.netns, force: true })
    },
    byName: (name: string) => byName(name)[1],
    ofCluster,
    /** The node's end of a pod's link. */
    podLink: (uid: string) => linkName('v', uid),
    list: () =>
      [...records.all].map(([id, { spec, netns }]) => ({
        id,
        kind: 'node' as const,
        name: spec.name,
        netns,
        on: true,
        pid: null,
        addresses: [addressOf(spec.address)],
      })),
  }
}

const masquerade = ({ podCidr, clusterPodCidr, serviceCidr }: Join) => `
  chain postrouting { type nat hook postrouting priority 100; policy accept;
    ip saddr { ${podCidr}, ${serviceCidr} } ip daddr != { ${clusterPodCidr}, ${serviceCidr} } oifname "eth0" masquerade
  }`

export type Nodes = ReturnType<typeof createNodes>
