import type { GatewaySpec, NodeSpec, SecurityGroup, ServerSpec } from '../ports.ts'
import { ipv4Of } from './addresses.ts'
import { byId, type Cloud } from './cloud.ts'
import { projectKeys } from './iam.ts'
import { withoutMask } from './ipv4.ts'
import type { Gateway, Node, SecurityGroupRecord, Server } from './records.ts'

/** What the machines are told, computed from the state at the moment of telling. */
export const gatewaySpec = ({ state }: Cloud, gateway: Gateway): GatewaySpec => ({
  id: gateway.id,
  name: gateway.name,
  publicIp: state.gateway_ips[gateway.ip_id]!.address,
  bastion: {
    enabled: gateway.bastion_enabled,
    port: gateway.bastion_port,
    allowedIps: gateway.bastion_allowed_ips,
    authorizedKeys: gateway.bastion_keys,
  },
  networks: byId(state.gateway_networks)
    .filter(it => it.gateway_id === gateway.id && it.status !== 'detaching')
    .map(it => ({
      networkId: it.private_network_id,
      address: state.ips[it.ipam_ip_id]!.address,
      masquerade: it.masquerade_enabled,
      defaultRoute: it.push_default_route,
    })),
})

/** The private address of a gateway that announces itself as the way out of this network. */
export const defaultRouteOf = ({ state }: Cloud, networkId: string): string | null => {
  const found = byId(state.gateway_networks).find(
    it => it.private_network_id === networkId && it.status === 'ready' && it.push_default_route,
  )
  const address = found && state.ips[found.ipam_ip_id]?.address
  return address ? withoutMask(address) : null
}

export const serverSpec = (cloud: Cloud, server: Server): ServerSpec => {
  const { state } = cloud
  const group = state.security_groups[server.security_group_id]
  return {
    id: server.id,
    name: server.name,
    publicIps: publicIpsOf(cloud, server),
    nics: nicsOf(cloud, server.id).map(it => ({
      id: it.id,
      networkId: it.private_network_id,
      address: ipv4Of(cloud, it.ipam_ip_ids) ?? '',
      mac: it.mac_address,
      defaultRoute: defaultRouteOf(cloud, it.private_network_id),
    })),
    securityGroup: group ? securityGroupSpec(group) : null,
    userData: server.user_data['cloud-init'] ?? null,
    authorizedKeys: projectKeys(cloud, server.project_id),
  }
}

export const nodeSpec = (cloud: Cloud, node: Node): NodeSpec => {
  const nic = nicsOf(cloud, node.server_id)[0]!
  return {
    id: node.id,
    name: node.name,
    clusterId: node.cluster_id,
    networkId: nic.private_network_id,
    address: ipv4Of(cloud, nic.ipam_ip_ids)!,
    defaultRoute: defaultRouteOf(cloud, nic.private_network_id),
  }
}

export const nicsOf = ({ state }: Cloud, serverId: string) =>
  byId(state.private_nics).filter(it => it.server_id === serverId)

export const publicIpsOf = ({ state }: Cloud, { id, dynamic_address }: Server): string[] => [
  ...byId(state.instance_ips)
    .filter(it => it.server_id === id && !it.family)
    .map(it => it.address),
  ...(dynamic_address ? [dynamic_address] : []),
]

/** Mail ports that Scaleway closes outward until told otherwise; answered as rules nobody can edit. */
export const smtpPorts = [25, 465, 587]

const securityGroupSpec = (group: SecurityGroupRecord): SecurityGroup => ({
  inboundDefault: group.inbound_default_policy,
  outboundDefault: group.outbound_default_policy,
  rules: [
    ...(group.enable_default_security ? smtpPorts : []).map(port => ({
      direction: 'outbound' as const,
      action: 'drop' as const,
      protocol: 'TCP' as const,
      ipRange: '0.0.0.0/0',
      portFrom: port,
      portTo: port,
    })),
    // The sandbox's internet speaks IPv4 only, so rules for IPv6 have nothing to act on.
    ...group.rules
      .filter(it => !it.ip_range.includes(':'))
      .map(it => ({
        direction: it.direction,
        action: it.action,
        protocol: it.protocol,
        ipRange: it.ip_range.includes('/') ? it.ip_range : `${it.ip_range}/32`,
        portFrom: it.dest_port_from,
        portTo: it.dest_port_to ?? it.dest_port_from,
      })),
  ],
})
