import { dirname, join } from 'node:path'
import { apiEndpoint, type PodFirewall, type ServiceRule } from '../ports.ts'
import type { Backgrounds } from './background.ts'
import { put } from './files.ts'
import { dropNetns, inNet, ip, makeNetns, netnsExists, nft } from './netns.ts'
import type { Node, Nodes } from './nodes.ts'
import { policyRules } from './policy-rules.ts'
import { createRecords, type Names } from './records.ts'
import { turns } from './run.ts'
import { serviceRules } from './service-rules.ts'
import { addressOf, services as internetServices, linkName, nth, type World } from './world.ts'

type Cluster = {
  netns: string
  serviceCidr: string
  dnsIp: string
  policies: PodFirewall[]
  services: ServiceRule[]
  names: Record<string, string>
}

/**
 * What the nodes of a cluster share: Services, NetworkPolicies, and a namespace with a link to each node that holds the
 * cluster's name server and the address of its API.
 */
export const createClusterNetworks = (world: World, nodes: Nodes, names: Names, background: Backgrounds) => {
  const records = createRecords<Cluster>(world, 'clusters')
  const turn = turns()
  for (const [id, { netns }] of records.all) names.remember(netns, id)
  const empty = (id: string): Cluster => ({
    netns: names.claim(id, `dns-${id.slice(0, 8)}`),
    serviceCidr: '',
    dnsIp: '',
    policies: [],
    services: [],
    names: {},
  })
  const change = (id: string, part: Partial<Cluster>): Cluster => {
    const cluster = { ...(records.all.get(id) ?? empty(id)), ...part }
    records.keep(id, cluster)
    return cluster
  }
  const hostsFile = (id: string) => join(records.directory(id), 'names')
  const tables = (cluster: Cluster) => ({
    policies: { name: 'policies', body: policyRules(cluster.policies) },
    services: {
      name: 'services',
      body: serviceRules(cluster.services, { ...cluster, resident: [cluster.dnsIp] }),
    },
  })
  const joined = (id: string) => nodes.ofCluster(id).filter(it => it.join && netnsExists(it.netns))

  /** The next state in one change per node; what was asked for while one was under way goes in the next, together. */
  const apply = (id: string, which: 'policies' | 'services') =>
    turn(`${id} ${which}`, async () => {
      const cluster = records.all.get(id)
      if (!cluster?.serviceCidr) return
      const tell = async ({ netns }: Node) => {
        try {
          await nft(netns, [tables(cluster)[which]])
        } catch (error) {
          // Whatever runs in the namespace of a node that goes is killed with it: that node needs no rules any more.
          if (joined(id).some(it => it.netns === netns)) throw error
        }
      }
      await Promise.all(joined(id).map(tell))
    })

  const serveNames = async (id: string, cluster: Cluster) => {
    const { netns, dnsIp } = cluster
    put(hostsFile(id), namesFile(cluster))
    const { dns } = internetServices(world)
    const options = [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--pid-file=', '--log-facility=-'],
      ...['--no-resolv', '--no-hosts', `--addn-hosts=${hostsFile(id)}`, '--local=/cluster.local/', `--server=${dns}`],
      ...[`--listen-address=${dnsIp}`, '--bind-interfaces', '--no-negcache', '--local-ttl=5'],
    ]
    await background.keep({ name: `dns-${id}`, netns, command: ['/usr/sbin/dnsmasq', ...options] })
  }

  /** Names of others are asked for through a node, as that node: never by the machine itself. */
  const wayOut = async (id: string, cluster: Cluster) => {
    const [node] = joined(id)
    if (!node) return
    const via = `${addressOf(node.spec.address)} dev ${linkName('n', node.netns)}`
    await ip([`route replace default via ${via} onlink src ${cluster.dnsIp}`], { ns: cluster.netns })
  }

  const link = async (cluster: Cluster, { netns, spec, join }: Node, anew = false) => {
    const port = linkName('n', netns)
    const addresses = [cluster.dnsIp, apiEndpoint.ip]
    // it goes with the node's namespace; names are asked for through it, so it is not made anew without need
    const there = await inNet(cluster.netns, 'ip', ['-o', 'link', 'show', port], { accept: [0, 1] })
    if (there.includes(port) && !anew) return
    await ip([`link del ${port}`], { ns: cluster.netns, force: true })
    const peer = `name dns0 netns ${netns}`
    const node = addressOf(spec.address)
    await ip(
      [
        `link add ${port} type veth peer ${peer}`,
        `link set ${port} up`,
        `route replace ${node}/32 dev ${port} src ${cluster.dnsIp}`,
        `route replace ${join!.podCidr} via ${node} dev ${port} onlink src ${cluster.dnsIp}`,
      ],
      { ns: cluster.netns },
    )
    await ip(['link set dns0 up', ...addresses.map(it => `route replace ${it}/32 dev dns0 src ${node}`)], { ns: netns })
  }

  return {
    nodeJoined: (node: Node) =>
      turn(node.spec.clusterId, async () => {
        const id = node.spec.clusterId
        const { serviceCidr } = node.join!
        const known = records.all.get(id)
        // Kubernetes gives its name server the tenth address unless told otherwise; pods say if it is another
        const cluster = change(id, { serviceCidr, dnsIp: known?.dnsIp || nth(serviceCidr, 10) })
        const fresh = await makeNetns(cluster.netns)
        if (fresh)
          await ip(
            [cluster.dnsIp, apiEndpoint.ip].map(it => `addr replace ${it}/32 dev lo`),
            { ns: cluster.netns },
          )
        await link(cluster, node)
        await nft(node.netns, [tables(cluster).policies, tables(cluster).services])
        await serveNames(id, cluster)
        await wayOut(id, cluster)
      }),
    nodeLeft: (clusterId: string, netns: string) =>
      turn(clusterId, async () => {
        const cluster = records.all.get(clusterId)
        if (!cluster || !netnsExists(cluster.netns)) return
        await ip([`link del ${linkName('n', netns)}`], { ns: cluster.netns, force: true })
        await wayOut(clusterId, cluster)
        if (nodes.ofCluster(clusterId).length > 0) return
        background.end(`dns-${clusterId}`)
        background.end(`api-${clusterId}`)
        await dropNetns([cluster.netns])
        names.release(cluster.netns)
        records.drop(clusterId)
      }),
    /** Pods are told their name server: when it is not the usual address, the cluster's name server moves there. */
    nameServerAt: (clusterId: string, address: string) =>
      turn(clusterId, async () => {
        const before = records.all.get(clusterId)
        if (!before?.serviceCidr || before.dnsIp === address) return
        const cluster = change(clusterId, { dnsIp: address })
        await ip([`addr replace ${address}/32 dev lo`], { ns: cluster.netns })
        for (const node of joined(clusterId)) await link(cluster, node, true)
        await apply(clusterId, 'services')
        await serveNames(clusterId, cluster)
        await wayOut(clusterId, cluster)
      }),
    setPolicies(clusterId: string, policies: PodFirewall[]) {
      change(clusterId, { policies })
      return apply(clusterId, 'policies')
    },
    setServices(clusterId: string, services: ServiceRule[]) {
      change(clusterId, { services })
      return apply(clusterId, 'services')
    },
    async setNames(clusterId: string, wanted: Record<string, string>) {
      put(hostsFile(clusterId), namesFile(change(clusterId, { names: wanted })))
      background.hangUp(`dns-${clusterId}`)
    },
    /** The API inside the cluster: a forwarder from its address to the control plane's socket. */
    serveApi: (clusterId: string, { socket, certificate, key }: { socket: string; certificate: string; key: string }) =>
      turn(clusterId, async () => {
        const cluster = records.all.get(clusterId)
        if (!cluster || !netnsExists(cluster.netns)) return
        const program = join(dirname(import.meta.filename), 'api-forwarder.ts')
        const { ip, port } = apiEndpoint
        const command = [process.execPath, program, ip, String(port), socket, certificate, key]
        await background.keep({ name: `api-${clusterId}`, netns: cluster.netns, command })
      }),
    list: () =>
      [...records.all]
        .filter(([, it]) => netnsExists(it.netns))
        .map(([id, cluster]) => ({
          id,
          kind: 'dns' as const,
          name: cluster.netns.slice(world.prefix.length),
          netns: cluster.netns,
          on: true,
          pid: null,
          addresses: [cluster.dnsIp, apiEndpoint.ip],
        })),
  }
}

/** Two names are every cluster's own; the others are told. */
const namesFile = ({ dnsIp, serviceCidr, names }: Cluster) =>
  Object.entries({
    ...(serviceCidr
      ? { 'kubernetes.default.svc.cluster.local': nth(serviceCidr, 1), 'kube-dns.kube-system.svc.cluster.local': dnsIp }
      : {}),
    ...names,
  })
    .map(([name, address]) => `${address} ${name}\n`)
    .join('')

export type ClusterNetworks = ReturnType<typeof createClusterNetworks>
