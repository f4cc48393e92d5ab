import { randomUUID } from 'node:crypto'

/** Ids that the answers below speak of. */
export const ids = {
  vpc: randomUUID(),
  network: randomUUID(),
  subnet: randomUUID(),
  gatewayIp: randomUUID(),
  gateway: randomUUID(),
  leg: randomUUID(),
  address: randomUUID(),
  group: randomUUID(),
  ip: randomUUID(),
  server: randomUUID(),
  nic: randomUUID(),
  cluster: randomUUID(),
  pool: randomUUID(),
  key: randomUUID(),
  project: randomUUID(),
}

const dates = { created_at: '2026-06-30T15:18:57.270298Z', updated_at: '2026-06-30T15:19:01.319764Z' }
const owner = { organization_id: ids.project, project_id: ids.project }
const instanceOwner = { organization: ids.project, project: ids.project }
const tags = (name: string) => ['team=net', 'kapsule-egress', 'egress-context=sandbox', `egress-name=${name}`]
/** A field that the API may grow tomorrow. */
const later = { a_field_of_tomorrow: { deep: [1, null] } }

const vpc = {
  ...{ id: ids.vpc, name: 'egress', tags: tags('egress'), ...owner, ...dates, ...later },
  ...{ is_default: false, region: 'fr-par', private_network_count: 1 },
  // Asked for and not given: the API decides that alone.
  ...{ routing_enabled: false, custom_routes_propagation_enabled: true },
}

const subnet = (id: string, range: string) => ({
  ...{ id, subnet: range, vpc_id: ids.vpc, private_network_id: ids.network, project_id: ids.project, ...dates },
})

const network = {
  ...{ id: ids.network, name: 'egress', tags: tags('egress'), ...owner, ...dates, ...later, region: 'fr-par' },
  // The range of IPv6 comes unasked, in any place.
  subnets: [subnet(randomUUID(), 'fd46:78ab:30b8:b540::/64'), subnet(ids.subnet, '172.16.28.0/22')],
  ...{ vpc_id: ids.vpc, dhcp_enabled: true, default_route_propagation_enabled: false },
}

const gatewayIp = {
  ...{ id: ids.gatewayIp, address: '51.15.200.112', reverse: '112-200-15-51.instances.scw.cloud', zone: 'fr-par-1' },
  ...{ tags: tags('egress'), gateway_id: ids.gateway, ...owner, ...dates },
}

const leg = {
  ...{ id: ids.leg, gateway_id: ids.gateway, private_network_id: ids.network, zone: 'fr-par-1', ...dates },
  ...{ ipam_ip_id: randomUUID(), mac_address: '02:00:00:1C:8E:E4', status: 'ready' },
  // The request called it enable_masquerade.
  ...{ masquerade_enabled: true, push_default_route: true },
}

/** `bastion_allowed_ips`: sometimes with, sometimes without the mask of a single address. */
const gateway = (bastionAllowedIps: string[]) => ({
  ...{ id: ids.gateway, name: 'egress', type: 'VPC-GW-S', tags: tags('egress'), ...owner, ...dates, ...later },
  ...{ status: 'running', zone: 'fr-par-1', ipv4: gatewayIp, gateway_networks: [leg], bandwidth: 100 },
  ...{ bastion_enabled: true, bastion_port: 61000, bastion_allowed_ips: bastionAllowedIps },
  ...{ smtp_enabled: false, is_legacy: false, version: '0.7.4' },
})

const address = {
  ...{ id: ids.address, address: '172.16.28.8/22', is_ipv6: false, source: { subnet_id: ids.subnet }, ...dates },
  // Upper case here, lower case in the instance API.
  resource: { type: 'instance_private_nic', id: ids.nic, mac_address: '02:00:00:1E:6E:99', name: 'proxy' },
  ...{ tags: tags('proxy'), reverses: [], region: 'fr-par', zone: null, project_id: ids.project },
}

const rule = (position: number, editable: boolean, more: object) => ({
  ...{ id: randomUUID(), protocol: 'TCP', direction: 'inbound', action: 'accept', zone: 'fr-par-1' },
  ...{ dest_ip_range: null, dest_port_from: null, dest_port_to: null, position, editable, ...more },
})
const smtp = (position: number, ip_range: string, dest_port_from: number) =>
  rule(position, false, { direction: 'outbound', action: 'drop', ip_range, dest_port_from })

const rules = [
  ...[25, 465, 587].map((port, at) => smtp(at + 1, '0.0.0.0/0', port)),
  ...[25, 465, 587].map((port, at) => smtp(at + 4, '::/0', port)),
  rule(2, true, { ip_range: '172.16.28.0/22', dest_port_from: 3128 }),
  // Sent as 203.0.113.7/32, from 22 to 22.
  rule(1, true, { ip_range: '203.0.113.7', dest_port_from: 22 }),
  rule(3, true, { ip_range: '2001:db8::7', dest_port_from: 22, dest_port_to: null }),
  rule(4, true, { protocol: 'ICMP', ip_range: '0.0.0.0/0' }),
  rule(5, true, { ip_range: '198.51.100.0/24', dest_port_from: 8000, dest_port_to: 8010 }),
]

const group = {
  ...{ id: ids.group, name: 'egress-proxy', description: null, tags: tags('egress-proxy'), zone: 'fr-par-1' },
  ...{ servers: [], stateful: true, inbound_default_policy: 'drop', outbound_default_policy: 'accept' },
  ...{ organization_default: false, project_default: false, enable_default_security: true, state: 'available' },
  ...{ ...instanceOwner, creation_date: '2026-07-30T12:54:21.436730+00:00', modification_date: null },
}

const flexibleIp = {
  ...{ id: ids.ip, address: '163.172.149.120', prefix: null, reverse: null, zone: 'fr-par-1', ...instanceOwner },
  ...{ server: { id: ids.server, name: 'proxy' }, type: 'routed_ipv4', state: 'attached', tags: tags('proxy') },
  ipam_id: ids.ip,
}

const publicIp = {
  ...{ id: ids.ip, address: '163.172.149.120', netmask: '32', gateway: '62.210.0.1', family: 'inet', dynamic: false },
  ...{ provisioning_mode: 'dhcp', tags: [], ipam_id: ids.ip, state: 'attached' },
}

const server = {
  ...{ id: ids.server, name: 'proxy', hostname: 'proxy', arch: 'x86_64', ...instanceOwner, zone: 'fr-par-1' },
  ...{ commercial_type: 'PLAY2-PICO', boot_type: 'local', tags: tags('proxy'), protected: false },
  ...{ state: 'running', state_detail: 'booting kernel', allowed_actions: ['poweroff', 'terminate', 'reboot'] },
  // Another id with every release of the image, and a name that is no label.
  image: {
    ...{ id: randomUUID(), name: 'Ubuntu 24.04 Noble Numbat', arch: 'x86_64', public: true, ...instanceOwner },
    ...{ root_volume: { volume_type: 'sbs_snapshot', id: randomUUID(), size: 0, name: '' }, extra_volumes: {} },
    ...{ from_server: '', state: 'available', tags: [], zone: 'fr-par-1', default_bootscript: null },
    ...{ creation_date: '2026-05-12T15:06:26.845576+00:00', modification_date: '2026-05-12T15:06:26.845576+00:00' },
  },
  volumes: {
    0: { boot: false, volume_type: 'sbs_volume', id: randomUUID(), state: 'available', zone: 'fr-par-1' },
  },
  ...{ public_ip: publicIp, public_ips: [publicIp], routed_ip_enabled: true, dynamic_ip_required: false },
  ...{ mac_address: 'de:00:01:27:16:b3', ipv6: null, enable_ipv6: false, private_ip: null, extra_networks: [] },
  private_nics: [
    {
      ...{ id: ids.nic, server_id: ids.server, private_network_id: ids.network, mac_address: '02:00:00:1e:6e:99' },
      ...{ state: 'available', tags: [], ipam_ip_ids: [ids.address, randomUUID()], zone: 'fr-par-1' },
    },
  ],
  ...{ security_group: { id: ids.group, name: 'egress-proxy' }, placement_group: null, maintenances: [] },
  ...{ creation_date: '2026-07-30T12:55:55.401082+00:00', modification_date: '2026-07-30T12:55:55.401082+00:00' },
  ...{ bootscript: null, location: null, filesystems: [], end_of_service: false },
}

const cluster = (more: object) => ({
  ...{ id: ids.cluster, name: 'shared', description: '', region: 'fr-par', ...owner, ...dates, ...later },
  ...{ type: 'kapsule', status: 'ready', version: '1.34.7', cni: 'cilium', tags: tags('shared') },
  ...{ cluster_url: `https://${ids.cluster}.api.k8s.fr-par.scw.cloud:6443`, dns_wildcard: '*.x', feature_gates: [] },
  ...{ auto_upgrade: { enabled: false, maintenance_window: { start_hour: 0, day: 'any' } }, upgrade_available: true },
  ...{ admission_plugins: [], apiserver_cert_sans: [], private_network_id: ids.network, acl_available: true },
  ...{ pod_cidr: '100.64.0.0/15', service_cidr: '10.32.0.0/20', service_dns_ip: '10.32.0.10', ...more },
})

const acl = [
  { id: randomUUID(), ip: '51.15.200.112/32', description: 'kapsule-egress' },
  { id: randomUUID(), ip: '203.0.113.0/24', description: 'another text' },
]

const pool = (more: object) => ({
  ...{ id: ids.pool, cluster_id: ids.cluster, name: 'client-a-pool', region: 'fr-par', zone: 'fr-par-1', ...dates },
  ...{ status: 'ready', version: '1.34.7', node_type: 'dev1_m', size: 2, min_size: 2, max_size: 2, ...later },
  ...{ autoscaling: false, autohealing: true, container_runtime: 'containerd', tags: tags('client-a-pool') },
  ...{ placement_group_id: null, kubelet_args: {}, upgrade_policy: { max_unavailable: 1, max_surge: 0 } },
  ...{ root_volume_type: 'sbs_5k', root_volume_size: 20_000_000_000, public_ip_disabled: true },
  labels: { tier: 'b', 'node-pool': 'client-a-pool' },
  // In the order of their keys, whatever was sent.
  taints: [
    { key: 'a', value: 'x', effect: 'NoExecute' },
    { key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' },
  ],
  ...{ startup_taints: [], error_message: null, ...more },
})

const key = (publicKey: string) => ({
  ...{ id: ids.key, name: 'kapsule-egress/sandbox/operator', public_key: publicKey, fingerprint: '256 MD5:..' },
  ...{ ...dates, creation_info: null, ...owner, disabled: false },
})

export const answer = {
  ...{ vpc, network, gatewayIp, gateway, leg, address, rules, group, flexibleIp, server, cluster, acl, pool, key },
}

/** A fetch that knows these lists by the end of their paths, and nothing else. */
export const serving =
  (lists: Record<string, object | string>): typeof fetch =>
  async input => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input))
    const end = Object.keys(lists).find(it => pathname.endsWith(it))
    if (!end) return Response.json({ type: 'not_found', resource: 'unknown', resource_id: '' }, { status: 404 })
    const body = lists[end]
    if (typeof body === 'string') return new Response(body, { headers: { 'Content-Type': 'text/plain' } })
    return Response.json(body, { headers: { 'X-Total-Count': String(Object.values(body ?? {})[0]?.length ?? 0) } })
  }
