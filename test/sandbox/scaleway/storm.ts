import type { Conditions, ScalewayState } from '../../../src/sandbox/scaleway/api.ts'

type Ids = (table: keyof ScalewayState) => string
type Call = [method: string, path: string, body?: object]

const [vpc, gw, vm] = ['/vpc/v2/regions/fr-par', '/vpc-gw/v2/zones/fr-par-1', '/instance/v1/zones/fr-par-1']
const [k8s, ipam, block] = ['/k8s/v1/regions/fr-par', '/ipam/v1/regions/fr-par', '/block/v1/zones/fr-par-1']

/** The same numbers from the same seed, so that a storm that breaks something can be had again. */
export const dice = (seed: number) => {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return {
    upTo: (n: number) => Math.floor(random() * n),
    or: <T>(value: T): T | undefined => (random() < 0.5 ? value : undefined),
  }
}
type Dice = ReturnType<typeof dice>

/** Calls that a team might make in any order, about things that may be there. */
export const writes = (id: Ids, { upTo, or }: Dice, image: string): (() => Call)[] => [
  () => ['POST', `${vpc}/vpcs`, { name: 'v' }],
  () => ['POST', `${vpc}/private-networks`, { name: 'n', vpc_id: or(id('vpcs')) }],
  () => ['DELETE', `${vpc}/private-networks/${id('private_networks')}`],
  () => ['POST', `${ipam}/ips`, { source: { private_network_id: id('private_networks') } }],
  () => ['DELETE', `${ipam}/ips/${id('ips')}`],
  () => ['POST', `${gw}/ips`, {}],
  () => ['DELETE', `${gw}/ips/${id('gateway_ips')}`],
  () => ['POST', `${gw}/gateways`, { type: 'VPC-GW-S', ip_id: or(id('gateway_ips')) }],
  () => ['PATCH', `${gw}/gateways/${id('gateways')}`, { enable_bastion: true }],
  () => ['DELETE', `${gw}/gateways/${id('gateways')}?delete_ip=${upTo(2) === 0}`],
  () => [
    ...(['POST', `${gw}/gateway-networks`] as const),
    { gateway_id: id('gateways'), private_network_id: id('private_networks'), push_default_route: true },
  ],
  () => ['DELETE', `${gw}/gateway-networks/${id('gateway_networks')}`],
  () => ['POST', `${vm}/ips`, { type: 'routed_ipv4' }],
  () => ['PATCH', `${vm}/ips/${id('instance_ips')}`, { server: or(id('servers')) ?? null }],
  () => ['DELETE', `${vm}/ips/${id('instance_ips')}`],
  () => ['POST', `${vm}/security_groups`, { name: 'g' }],
  () => ['DELETE', `${vm}/security_groups/${id('security_groups')}`],
  () => ['POST', `${vm}/servers`, { name: 's', commercial_type: 'DEV1-M', image, volumes: {} }],
  () => ['PATCH', `${vm}/servers/${id('servers')}`, { security_group: { id: id('security_groups') } }],
  () => [
    ...(['POST', `${vm}/servers/${id('servers')}/action`] as const),
    { action: ['poweron', 'poweroff', 'terminate', 'reboot', 'stop_in_place'][upTo(5)] },
  ],
  () => ['DELETE', `${vm}/servers/${id('servers')}`],
  () => [
    ...(['POST', `${vm}/servers/${id('servers')}/private_nics`] as const),
    { private_network_id: id('private_networks'), ipam_ip_ids: or([id('ips')]) },
  ],
  () => ['DELETE', `${block}/volumes/${id('volumes')}`],
  () => {
    const pools = or([{ name: 'p', node_type: 'DEV1-M', size: 1 }])
    const network = id('private_networks')
    const body = { name: `c${upTo(4)}`, version: '1.34.1', cni: 'cilium', private_network_id: network, pools }
    return ['POST', `${k8s}/clusters`, body]
  },
  () => [
    'POST',
    `${k8s}/clusters/${id('clusters')}/pools`,
    { name: `p${upTo(3)}`, node_type: 'DEV1-M', size: upTo(3) },
  ],
  () => ['PATCH', `${k8s}/pools/${id('pools')}`, { size: upTo(3) }],
  () => ['DELETE', `${k8s}/pools/${id('pools')}`],
  () => ['DELETE', `${k8s}/clusters/${id('clusters')}?with_additional_resources=${upTo(3) === 0}`],
]

export const reads = (id: Ids): string[] => [
  ...[`${vpc}/vpcs`, `${vpc}/private-networks`, `${ipam}/ips`, `${gw}/ips`, `${gw}/gateways`, `${gw}/gateway-networks`],
  ...[`${vm}/servers`, `${vm}/ips`, `${vm}/security_groups`, `${block}/volumes`, `${k8s}/clusters`],
  ...[`${gw}/gateways/${id('gateways')}`, `${vm}/servers/${id('servers')}`],
  ...[`${vm}/servers/${id('servers')}/private_nics`, `${k8s}/clusters/${id('clusters')}/nodes`],
]

const kinds = ['gateway', 'gateway_network', 'server', 'private_nic', 'volume', 'cluster', 'pool'] as const

export const weather = ({ upTo, or }: Dice): Conditions => ({
  ...{ seed: upTo(1e6), staleMs: or(50) ?? 0, lagMs: or(50) ?? 0 },
  faults: [
    ...[
      { chance: 0.05, do: { status: 429 } },
      { chance: 0.05, do: { cut: 'before' as const } },
    ],
    ...[
      { chance: 0.05, do: { cut: 'after' as const } },
      { chance: 0.2, do: { latencyMs: [0, 5] as [number, number] } },
    ],
  ],
  stuck: or([{ kind: kinds[upTo(kinds.length)]!, state: ['failed', 'warning', 'locked'][upTo(3)]!, thenMs: 20 }]) ?? [],
})

/** Rows that point at rows that are not there. */
export const dangling = (it: ScalewayState): string[] => {
  const missing: string[] = []
  const points = (table: keyof ScalewayState, key: string, to: keyof ScalewayState) => {
    for (const row of Object.values(it[table] as Record<string, Record<string, unknown>>)) {
      const ids = [row[key]].flat().filter(Boolean) as string[]
      for (const id of ids) if (!(id in (it[to] as object))) missing.push(`${table}.${key}`)
    }
  }
  for (const table of ['private_nics', 'gateway_networks', 'ips', 'clusters'] as const)
    points(table, 'private_network_id', 'private_networks')
  for (const table of ['private_nics', 'instance_ips', 'nodes'] as const) points(table, 'server_id', 'servers')
  points('private_nics', 'ipam_ip_ids', 'ips')
  points('gateway_networks', 'ipam_ip_id', 'ips')
  points('gateway_networks', 'gateway_id', 'gateways')
  points('gateways', 'ip_id', 'gateway_ips')
  points('private_networks', 'vpc_id', 'vpcs')
  points('servers', 'volume_id', 'volumes')
  points('servers', 'security_group_id', 'security_groups')
  points('servers', 'node_id', 'nodes')
  points('nodes', 'pool_id', 'pools')
  points('pools', 'cluster_id', 'clusters')
  return missing
}
