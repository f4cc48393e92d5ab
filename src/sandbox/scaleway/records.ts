import type { Taint } from '../ports.ts'

/** What the emulated projects hold, in the API's own spelling where a field is also answered. All of it is JSON. */
export type ScalewayState = {
  sequence: number
  projects: Record<string, ProjectRecord> // beside the key's own
  vpcs: Record<string, Vpc>
  private_networks: Record<string, PrivateNetwork>
  ips: Record<string, IpamIp>
  gateway_ips: Record<string, GatewayIp>
  gateways: Record<string, Gateway>
  gateway_networks: Record<string, GatewayNetwork>
  instance_ips: Record<string, InstanceIp>
  security_groups: Record<string, SecurityGroupRecord>
  servers: Record<string, Server>
  private_nics: Record<string, PrivateNic>
  volumes: Record<string, Volume>
  clusters: Record<string, Cluster>
  pools: Record<string, Pool>
  nodes: Record<string, Node>
  ssh_keys: Record<string, SshKey>
  databases: Record<string, Database>
  transitions: Record<string, { kind: string; due: number }> // by resource id; due: epoch ms
}

/** Names of the tables whose rows have an id. */
export type Table = Exclude<keyof ScalewayState, 'sequence' | 'projects' | 'transitions'>

type Dated = { created_at: string; updated_at: string }
type Named = { id: string; name: string; tags: string[] } & Dated
type Owned = { project_id: string }
/** The day of the API that its maker's request was written for. */
type Aged = { as_of?: string | undefined }

export type ProjectRecord = { id: string; name: string; created_at: string }

export type Vpc = Named &
  Owned &
  Aged & { region: string; is_default: boolean; routing_enabled: boolean; custom_routes?: boolean }

export type PrivateNetwork = Named &
  Owned & {
    region: string
    vpc_id: string
    subnets: { id: string; subnet: string }[] // the IPv4 one first, then the ULA
    dhcp_enabled: boolean
    default_route_propagation_enabled: boolean
  }

export type IpamIp = {
  id: string
  project_id: string
  region: string
  private_network_id: string
  subnet_id: string
  address: string // with its mask
  is_ipv6: boolean
  automatic: boolean // vanishes with the resource it was picked for
  resource: { type: string; id: string; mac_address: string | null; name: string | null } | null
  tags: string[]
  reverses: { hostname: string; address: string | null }[]
} & Dated

export type GatewayIp = {
  id: string
  project_id: string
  zone: string
  address: string
  reverse: string | null
  tags: string[]
  gateway_id: string | null
} & Dated

export type Gateway = Named &
  Owned & {
    zone: string
    type: string
    status: 'allocating' | 'configuring' | 'running' | 'failed' | 'deleting'
    ip_id: string
    version: string | null
    smtp_enabled: boolean
    bastion_enabled: boolean
    bastion_port: number
    bastion_allowed_ips: string[]
    bastion_keys: string[] // as of the last refresh: later keys do not reach the bastion
    delete_ip: boolean
  }

export type GatewayNetwork = {
  id: string
  zone: string
  gateway_id: string
  private_network_id: string
  status: 'created' | 'configuring' | 'ready' | 'detaching'
  mac_address: string | null
  masquerade_enabled: boolean
  push_default_route: boolean
  ipam_ip_id: string
} & Dated

export type InstanceIp = {
  id: string
  project_id: string
  zone: string
  address: string
  reverse: string | null
  tags: string[]
  server_id: string | null
  family?: 'inet6' // absent: IPv4
}

export type Rule = {
  id: string
  protocol: 'TCP' | 'UDP' | 'ICMP' | 'ANY'
  direction: 'inbound' | 'outbound'
  action: 'accept' | 'drop'
  ip_range: string
  dest_port_from: number | null
  dest_port_to: number | null
}

export type SecurityGroupRecord = Named &
  Owned & {
    zone: string
    description: string | null
    stateful: boolean
    state: 'available' | 'syncing' | 'syncing_error'
    inbound_default_policy: 'accept' | 'drop'
    outbound_default_policy: 'accept' | 'drop'
    enable_default_security: boolean
    project_default: boolean
    rules: Rule[]
  }

export type ServerState = 'stopped' | 'starting' | 'running' | 'stopping' | 'stopped in place' | 'locked'

export type Server = Named &
  Owned &
  Aged & {
    zone: string
    commercial_type: string
    image_id: string
    volume_id: string
    boot: boolean
    boot_type: string
    state: ServerState
    state_detail: string
    protected: boolean
    dynamic_ip_required: boolean
    dynamic_address: string | null // only while it runs
    security_group_id: string
    mac_address: string
    user_data: Record<string, string>
    node_id: string | null // a node of a Kapsule cluster: its machine is the cluster's, not ours
  }

export type PrivateNic = {
  id: string
  zone: string
  server_id: string
  private_network_id: string
  mac_address: string
  state: 'available' | 'syncing' | 'syncing_error'
  tags: string[]
  ipam_ip_ids: string[]
} & Dated

export type Volume = Named &
  Owned & {
    zone: string
    size: number
    perf_iops: number
    parent_snapshot_id: string
    reference: {
      id: string
      server_id: string
      status: 'attaching' | 'attached' | 'detaching'
      created_at: string
    } | null
    last_detached_at: string | null
    status?: string // only when it is not what the reference says
  }

export type Acl = { id: string; ip: string | null; scaleway_ranges: boolean | null; description: string }

export type Cluster = Named &
  Owned &
  Aged & {
    region: string
    type: string
    description: string
    status: 'creating' | 'pool_required' | 'ready' | 'updating' | 'deleting' | 'locked'
    version: string
    cni: string
    private_network_id: string
    pod_cidr: string
    service_cidr: string
    service_dns_ip: string
    auto_upgrade: { enabled: boolean; maintenance_window: { start_hour: number; day: string } }
    settings: Record<string, unknown> // what is stored and answered, and moves nothing here
    acls: Acl[]
    iam_nodes_group_id: string
    delete_network: boolean
  }

export type Pool = Named & {
  region: string
  zone: string
  cluster_id: string
  status: 'scaling' | 'ready' | 'warning' | 'deleting' | 'locked'
  version: string
  node_type: string
  autoscaling: boolean
  autohealing: boolean
  size: number
  min_size: number
  max_size: number
  container_runtime: string
  placement_group_id: string | null
  kubelet_args: Record<string, string>
  upgrade_policy: { max_unavailable: number; max_surge: number }
  root_volume_type: string
  root_volume_size: number
  public_ip_disabled: boolean
  security_group_id: string
  labels: Record<string, string>
  taints: Taint[]
  startup_taints: Taint[]
  error_message: string | null
}

export type Node = {
  id: string
  name: string
  region: string
  cluster_id: string
  pool_id: string
  server_id: string
  status: 'creating' | 'ready' | 'deleting' | 'creation_error'
  error_message: string
} & Dated

export type DatabaseAcl = { ip: string; description: string }

export type Database = {
  id: string
  project_id: string
  region: string
  name: string
  engine: string
  node_type: string
  is_ha_cluster: boolean
  tags: string[]
  status: 'provisioning' | 'ready' | 'configuring' | 'deleting'
  port: number | null // of its endpoint, which it has once it is ready
  acls: DatabaseAcl[]
  created_at: string
}

export type SshKey = {
  id: string
  project_id: string
  name: string
  public_key: string
  fingerprint: string
  disabled: boolean
} & Dated
