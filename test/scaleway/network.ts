import type { AnyKind, Report } from '../../src/engine/kind.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { clusterKind } from '../../src/scaleway/cluster.ts'
import { flexibleIpKind } from '../../src/scaleway/flexible-ip.ts'
import { gatewayKind } from '../../src/scaleway/gateway.ts'
import { gatewayIpKind } from '../../src/scaleway/gateway-ip.ts'
import { gatewayNetworkKind } from '../../src/scaleway/gateway-network.ts'
import { ipamAddressKind } from '../../src/scaleway/ipam-address.ts'
import { kubeconfigKind } from '../../src/scaleway/kubeconfig.ts'
import { poolKind } from '../../src/scaleway/pool.ts'
import { privateNetworkKind } from '../../src/scaleway/private-network.ts'
import { securityGroupKind } from '../../src/scaleway/security-group.ts'
import { serverKind } from '../../src/scaleway/server.ts'
import { sshKeyKind } from '../../src/scaleway/ssh-key.ts'
import { vpcKind } from '../../src/scaleway/vpc.ts'

// biome-ignore lint/suspicious/noExplicitAny: what each kind gives is known by its name here
type Lives = Record<string, any>

/** What may differ between two deploys of the small network below. */
export type Wishes = {
  kubeconfig: string
  motd?: string
  sshFrom?: string
  poolSize?: number
  label?: string
  bastionFrom?: string
  cidr?: string
  address?: string
  gatewayType?: string
  poolType?: string
  cni?: string
  cluster?: string
  /** More addresses of the proxy, by their ids. */
  more?: string[]
  /** Of gateway, proxy and pool. */
  zone?: string
}

/** One of everything, in the documented order: a function of what the earlier ones gave. */
const network = ({ zone, ...wishes }: Wishes): [AnyKind, (lives: Lives) => object][] => {
  const zoned = zone ? { zone } : {}
  return [
    [vpcKind, () => ({ name: 'egress' })],
    [privateNetworkKind, it => ({ name: 'egress', vpcId: it.vpc.id, cidr: wishes.cidr ?? '172.16.28.0/22' })],
    [
      ipamAddressKind,
      it => ({ name: 'proxy', privateNetworkId: it['private-network'].id, address: wishes.address ?? '172.16.28.8' }),
    ],
    [sshKeyKind, () => ({ name: 'operator', publicKey: `ssh-ed25519 ${'A'.repeat(68)} me@here` })],
    [gatewayIpKind, () => ({ name: 'egress', ...zoned })],
    [
      gatewayKind,
      it => ({
        name: 'egress',
        type: wishes.gatewayType ?? 'VPC-GW-S',
        ...zoned,
        ipId: it['gateway-ip'].id,
        bastion: { allowedIps: [wishes.bastionFrom ?? '203.0.113.240/28'], keyIds: [it['ssh-key'].id] },
      }),
    ],
    [
      gatewayNetworkKind,
      it => ({
        gatewayId: it.gateway.id,
        privateNetworkId: it['private-network'].id,
        ...zoned,
        masquerade: true,
        defaultRoute: true,
      }),
    ],
    [
      securityGroupKind,
      () => ({
        name: 'egress-proxy',
        ...zoned,
        inboundDefault: 'drop',
        outboundDefault: 'accept',
        rules: [
          rule(wishes.sshFrom ?? '203.0.113.241/32', 22),
          { direction: 'inbound', action: 'accept', protocol: 'ICMP', ipRange: '0.0.0.0/0' },
          rule('172.16.28.0/22', 3128),
        ],
      }),
    ],
    [flexibleIpKind, () => ({ name: 'proxy', ...zoned })],
    [
      serverKind,
      it => ({
        name: 'proxy',
        type: 'PLAY2-PICO',
        image: 'ubuntu_noble',
        ...zoned,
        privateNetworkId: it['private-network'].id,
        ipamIpId: it['ipam-address'].id,
        flexibleIpId: it['flexible-ip'].id,
        ...(wishes.more && { moreFlexibleIpIds: wishes.more }),
        securityGroupId: it['security-group'].id,
        cloudInit: { hostname: 'proxy', motd: wishes.motd ?? 'hello' },
      }),
    ],
    [
      clusterKind,
      it => ({
        name: wishes.cluster ?? 'shared',
        version: '1.34',
        cni: wishes.cni ?? 'cilium',
        privateNetworkId: it['private-network'].id,
      }),
    ],
    [
      poolKind,
      it => ({
        name: 'client-a-pool',
        clusterId: it.cluster.id,
        type: wishes.poolType ?? 'DEV1-M',
        ...zoned,
        size: wishes.poolSize ?? 1,
        publicIpDisabled: true,
        labels: { 'node-pool': wishes.label ?? 'client-a-pool' },
        taints: [{ key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' }],
      }),
    ],
    [kubeconfigKind, it => ({ clusterId: it.cluster.id, path: wishes.kubeconfig })],
  ]
}

const rule = (ipRange: string, port: number) => ({
  direction: 'inbound',
  action: 'accept',
  protocol: 'TCP',
  ipRange,
  ports: { from: port, to: port },
})

export const report: Report = {
  waiting: () => undefined,
  progress: () => undefined,
  signal: new AbortController().signal,
}

export type Done = { kind: AnyKind; want: object; before: unknown; now: unknown; action: string | null }

/** Reads, compares and makes one thing after the other; tells what it did. */
export const deploy = async (clients: ServerClients, wishes: Wishes): Promise<{ lives: Lives; done: Done[] }> => {
  const lives: Lives = {}
  const done: Done[] = []
  for (const [kind, wanting] of network(wishes)) {
    const want = wanting(lives)
    const before = await kind.read(want, clients, report)
    const change = kind.diff(want, before)
    const now = change ? await kind.apply(want, clients, before, report) : before
    lives[kind.name] = now
    done.push({ kind, want, before, now, action: change?.action ?? null })
  }
  return { lives, done }
}

/** Takes back what a deploy did, last first. */
export const undo = async (clients: ServerClients, done: Done[]): Promise<void> => {
  for (const { kind, want, before, now, action } of [...done].reverse())
    if (action) await kind.undo?.(want, clients, before, now, report)
}

/** Changes that another deploy would make, e.g. `update server`. */
export const drift = async (clients: ServerClients, wishes: Wishes): Promise<string[]> => {
  const lives: Lives = {}
  const found: string[] = []
  for (const [kind, wanting] of network(wishes)) {
    const want = wanting(lives)
    lives[kind.name] = await kind.read(want, clients, report)
    const change = kind.diff(want, lives[kind.name])
    if (change) found.push(change.summary)
  }
  return found
}

/** How many of everything stand in the project, ours or not. The API's own are left out. */
export const census = async ({ vpc, gateway, ipam, instance, block, k8s, iam, projectId }: ServerClients) => {
  const all = await Promise.all([
    vpc.listVPCs({ projectId, isDefault: false }).all(),
    vpc.listPrivateNetworks({ projectId }).all(),
    gateway.listIPs({ projectId }).all(),
    gateway.listGateways({ projectId }).all(),
    gateway.listGatewayNetworks({}).all(),
    ipam.listIPs({ projectId, isIpv6: false }).all(),
    instance.listIps({ project: projectId }).all(),
    instance.listServers({ project: projectId }).all(),
    instance.listSecurityGroups({ project: projectId }).all(),
    block.listVolumes({ projectId, includeDeleted: false }).all(),
    k8s.listClusters({ projectId }).all(),
    iam.listSSHKeys({ projectId }).all(),
  ])
  const [vpcs, networks, gatewayIps, gateways, legs, addresses, ips, servers, groups, volumes, clusters, keys] = all
  const own = groups.filter(it => !it.projectDefault && !/^Kapsule/i.test(it.name))
  const numbers = {
    vpcs,
    networks,
    gatewayIps,
    gateways,
    legs,
    addresses,
    ips,
    servers,
    groups: own,
    volumes,
    clusters,
    keys,
  }
  return Object.fromEntries(Object.entries(numbers).map(([name, list]) => [name, list.length]))
}
