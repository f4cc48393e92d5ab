import type { ScalewayState } from '../../src/sandbox/scaleway/api.ts'

/** A state as lines that two projects with the same resources share: no ids, no dates, no addresses picked by chance. */
export const census = (state: ScalewayState): string[] => {
  const { servers, private_nics, private_networks, gateways, clusters, pools } = state
  const name = (rows: Record<string, { name: string }>, id: string | null) => (id === null ? '-' : rows[id]?.name)
  const lines = [
    ...each(state.vpcs, it => !it.is_default && `vpc ${it.name} ${it.tags}`),
    ...each(private_networks, it => `network ${it.name} ${it.tags} ${it.subnets[0]?.subnet}`),
    ...each(
      state.ips,
      it => !it.is_ipv6 && `address ${it.automatic ? 'automatic' : it.address} ${it.tags} ${it.resource?.type}`,
    ),
    ...each(state.gateway_ips, it => `gateway IP ${it.tags} of ${name(gateways, it.gateway_id)}`),
    ...each(gateways, it => `gateway ${it.name} ${it.tags.filter(tag => !tag.includes('keys='))} ${it.status}`),
    ...each(gateways, it => `bastion ${it.bastion_enabled} ${it.bastion_allowed_ips} ${it.bastion_keys.length} keys`),
    ...each(
      state.gateway_networks,
      it => `leg ${name(gateways, it.gateway_id)} ${name(private_networks, it.private_network_id)} ${it.status}`,
    ),
    ...each(state.instance_ips, it => `flexible IP ${it.tags} of ${name(servers, it.server_id)}`),
    ...each(
      state.security_groups,
      it => !isOthers(it) && `security group ${it.name} ${it.tags} ${it.state} ${it.rules.length} rules`,
    ),
    ...each(
      servers,
      it => it.node_id === null && `server ${it.name} ${it.tags} ${it.state} ${Object.keys(it.user_data)}`,
    ),
    ...each(servers, it => it.node_id !== null && `node of ${it.tags.find(tag => tag.startsWith('pool-name='))}`),
    ...each(
      private_nics,
      it => `NIC of ${servers[it.server_id]?.node_id ? 'a node' : name(servers, it.server_id)} ${it.tags} ${it.state}`,
    ),
    ...each(state.volumes, it => `volume ${it.tags.length > 0 ? it.name : ''} ${it.tags}`),
    ...each(clusters, it => `cluster ${it.name} ${it.tags} ${it.status}`),
    ...each(
      pools,
      it => `pool ${it.name} ${it.tags} ${it.status} ${it.size} ${JSON.stringify([it.labels, it.taints])}`,
    ),
    ...each(state.ssh_keys, it => `key ${it.name} ${it.public_key.split(' ')[1]}`),
  ]
  return lines.sort()
}

const each = <T>(rows: Record<string, T>, line: (row: T) => string | false): string[] =>
  Object.values(rows).flatMap(it => line(it) || [])

/** Those that the API makes by itself: the project's default, and what Kapsule puts its nodes behind. */
const isOthers = (it: { project_default: boolean; name: string }) => it.project_default || /^Kapsule/i.test(it.name)

/** What one has more than the other, with a sign before it. */
export const compare = (want: readonly string[], have: readonly string[]): string[] => {
  const counts = new Map<string, number>()
  for (const it of want) counts.set(it, (counts.get(it) ?? 0) - 1)
  for (const it of have) counts.set(it, (counts.get(it) ?? 0) + 1)
  return [...counts].flatMap(([line, count]) => (count === 0 ? [] : [`${count > 0 ? '+' : ''}${count} ${line}`])).sort()
}
