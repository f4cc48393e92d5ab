import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { AnyKind } from '../../src/engine/kind.ts'
import { createScaleway } from '../../src/scaleway/client.ts'
import { clusterKind } from '../../src/scaleway/cluster.ts'
import { clusterAclKind } from '../../src/scaleway/cluster-acl.ts'
import { flexibleIpKind } from '../../src/scaleway/flexible-ip.ts'
import { gatewayKind } from '../../src/scaleway/gateway.ts'
import { gatewayIpKind } from '../../src/scaleway/gateway-ip.ts'
import { gatewayNetworkKind } from '../../src/scaleway/gateway-network.ts'
import { ipamAddressKind } from '../../src/scaleway/ipam-address.ts'
import { poolKind } from '../../src/scaleway/pool.ts'
import { privateNetworkKind } from '../../src/scaleway/private-network.ts'
import { securityGroupKind } from '../../src/scaleway/security-group.ts'
import { serverKind } from '../../src/scaleway/server.ts'
import { sshKeyKind } from '../../src/scaleway/ssh-key.ts'
import { vpcKind } from '../../src/scaleway/vpc.ts'
import { suite } from '../support/suite.ts'
import { answer, ids, serving } from './answers.ts'
import { report } from './network.ts'

const { test } = suite('scaleway/false-drift')

const clientsOf = async (lists: Record<string, object | string>) =>
  Object.assign(
    await createScaleway(
      {
        ...{ accessKey: 'SCW00000000000000000', secretKey: ids.project, projectId: ids.project },
        ...{ region: 'fr-par', zone: 'fr-par-1', apiUrl: 'http://127.0.0.1:9' },
      },
      { context: 'sandbox', http: { fetch: serving(lists), attempts: 1 } },
    ),
    {
      cloudInit: {
        render: (want: unknown) => `#cloud-config\n${JSON.stringify(want)}\nkey: new`,
        newHostKey: () => 'new',
        publicKeyOf: () => 'ssh-ed25519 AAAA',
        withoutKeys: (text: string) => text.replace(/key: .*/, ''),
      },
    },
  )

const pages = {
  vpc: (all: object[]) => ({ '/vpcs': { vpcs: all, total_count: all.length } }),
  network: (all: object[]) => ({ '/private-networks': { private_networks: all, total_count: all.length } }),
  gatewayIp: (all: object[]) => ({ '/vpc-gw/v2/zones/fr-par-1/ips': { ips: all, total_count: all.length } }),
  gateway: (all: object[]) => ({ '/zones/fr-par-1/gateways': { gateways: all, total_count: all.length } }),
  leg: (all: object[]) => ({ '/gateway-networks': { gateway_networks: all, total_count: all.length } }),
  address: (all: object[]) => ({ '/ipam/v1/regions/fr-par/ips': { ips: all, total_count: all.length } }),
  cluster: (all: object[]) => ({ '/clusters': { clusters: all, total_count: all.length } }),
}

const poolWant = {
  ...{ name: 'client-a-pool', clusterId: ids.cluster, type: 'DEV1-M', size: 2, publicIpDisabled: true },
  labels: { 'node-pool': 'client-a-pool', tier: 'b' },
  taints: [
    { key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' },
    { key: 'a', value: 'x', effect: 'NoExecute' },
  ],
}
const poolPages = (pool: object) => ({
  [`/clusters/${ids.cluster}/pools`]: { pools: [pool], total_count: 1 },
  '/nodes': { nodes: [], total_count: 0 },
  ...pages.address([]),
})
const clusterWant = {
  name: 'shared',
  version: '1.34',
  cni: 'cilium',
  privateNetworkId: ids.network,
  podCidr: '100.64.0.0/15',
}
const gatewayWant = (allowedIps: string[]) => ({
  ...{ name: 'egress', type: 'VPC-GW-S', ipId: ids.gatewayIp, zone: 'fr-par-1', bastion: { port: 61000, allowedIps } },
})
const inbound = (ipRange: string, from: number, to = from) => ({
  ...{ direction: 'inbound', action: 'accept', protocol: 'TCP', ipRange, ports: { from, to } },
})
const key = `ssh-ed25519 ${createHash('sha256').update('key').digest('base64')}`
const cloudInit = { hostname: 'proxy' }

const rows: { hazard: string; kind: AnyKind; want: object; lists: Record<string, object | string> }[] = [
  {
    hazard: 'routing that was asked for and is not given',
    kind: vpcKind,
    want: { name: 'egress' },
    lists: pages.vpc([answer.vpc]),
  },
  {
    hazard: 'an IPv6 range that nobody asked for, listed first',
    kind: privateNetworkKind,
    want: { name: 'egress', vpcId: ids.vpc, cidr: '172.16.28.0/22' },
    lists: pages.network([answer.network]),
  },
  {
    hazard: 'an address that is attached now',
    kind: gatewayIpKind,
    want: { name: 'egress', zone: 'fr-par-1' },
    lists: { ...pages.gatewayIp([answer.gatewayIp]), ...pages.gateway([answer.gateway([])]) },
  },
  ...[
    { hazard: 'the mask of a single address left out', said: ['203.0.113.0/24', '198.51.100.7'] },
    { hazard: 'ranges in another order', said: ['198.51.100.7/32', '203.0.113.0/24'] },
  ].map(({ hazard, said }) => ({
    hazard,
    kind: gatewayKind as AnyKind,
    want: gatewayWant(['203.0.113.0/24', '198.51.100.7/32']),
    lists: pages.gateway([answer.gateway(said)]),
  })),
  {
    hazard: 'enable_masquerade answered as masquerade_enabled',
    kind: gatewayNetworkKind,
    want: { gatewayId: ids.gateway, privateNetworkId: ids.network, masquerade: true, defaultRoute: true },
    lists: pages.leg([answer.leg]),
  },
  {
    hazard: 'an address asked for without a mask and answered with one, attached, its MAC in upper case',
    kind: ipamAddressKind,
    want: { name: 'proxy', privateNetworkId: ids.network, subnetId: ids.subnet, address: '172.16.28.8' },
    lists: pages.address([answer.address]),
  },
  {
    hazard: 'masks stripped, one port as null, SMTP drops among the rules, positions of their own',
    kind: securityGroupKind,
    want: {
      ...{ name: 'egress-proxy', inboundDefault: 'drop', outboundDefault: 'accept', zone: 'fr-par-1' },
      rules: [
        inbound('203.0.113.7/32', 22),
        inbound('172.16.28.0/22', 3128),
        inbound('2001:db8::7/128', 22),
        { direction: 'inbound', action: 'accept', protocol: 'ICMP', ipRange: '0.0.0.0/0' },
        inbound('198.51.100.0/24', 8000, 8010),
      ],
    },
    lists: {
      '/security_groups': { security_groups: [answer.group] },
      '/rules': { rules: answer.rules },
    },
  },
  {
    hazard: 'an address that is attached now',
    kind: flexibleIpKind,
    want: { name: 'proxy', zone: 'fr-par-1' },
    lists: { '/instance/v1/zones/fr-par-1/ips': { ips: [answer.flexibleIp] } },
  },
  {
    hazard: 'another image id, legacy fields, a volume without a size, user data read back',
    kind: serverKind,
    want: {
      ...{ name: 'proxy', type: 'PLAY2-PICO', image: 'ubuntu_noble', privateNetworkId: ids.network },
      ...{ ipamIpId: ids.address, flexibleIpId: ids.ip, securityGroupId: ids.group, zone: 'fr-par-1', cloudInit },
    },
    lists: {
      '/servers': { servers: [answer.server] },
      '/user_data/cloud-init': `#cloud-config\n${JSON.stringify(cloudInit)}\nkey: old`,
      ...pages.address([answer.address]),
    },
  },
  ...[
    { hazard: 'a patch of the minor, with an upgrade to be had', more: {} },
    { hazard: 'the type as an empty text', more: { type: '' } },
    { hazard: 'no pool yet', more: { status: 'pool_required' } },
  ].map(({ hazard, more }) => ({
    hazard,
    kind: clusterKind as AnyKind,
    want: clusterWant,
    lists: pages.cluster([answer.cluster(more)]),
  })),
  {
    hazard: 'ranges with masks, in another order, with texts of others',
    kind: clusterAclKind,
    want: { clusterId: ids.cluster, allow: ['203.0.113.0/24'], nodesFrom: '51.15.200.112' },
    lists: { '/acls': { rules: answer.acl, total_count: 2 } },
  },
  {
    hazard: 'the node type in another spelling, labels and taints in another order',
    kind: poolKind,
    want: poolWant,
    lists: poolPages(answer.pool({})),
  },
  {
    hazard: 'a size that the autoscaler chose, while it scales',
    kind: poolKind,
    want: { ...poolWant, autoscaling: { min: 1, max: 5 } },
    lists: poolPages(answer.pool({ autoscaling: true, min_size: 1, max_size: 5, size: 4, status: 'scaling' })),
  },
  {
    hazard: 'labels and taints as null where there are none',
    kind: poolKind,
    want: { ...poolWant, labels: {}, taints: [] },
    lists: poolPages(answer.pool({ labels: null, taints: null })),
  },
  {
    hazard: 'the comment of a key dropped',
    kind: sshKeyKind,
    want: { name: 'operator', publicKey: `${key} operator@desk` },
    lists: { '/ssh-keys': { ssh_keys: [answer.key(key)], total_count: 1 } },
  },
]

for (const { hazard, kind, want, lists } of rows)
  test(`${kind.name}: ${hazard} is no difference`, async () => {
    const live = await kind.read(want, await clientsOf(lists), report)
    assert.ok(live, 'it is found')
    assert.is(
      kind
        .diff(want, live)
        ?.details?.map((it: { diff?: string }) => it.diff)
        .join() ?? null,
      null,
    )
  })

/** The same answers with one true difference: the comparison is not simply blind. */
for (const { kind, want, lists, says } of [
  {
    kind: gatewayKind as AnyKind,
    want: gatewayWant(['203.0.113.0/24']),
    lists: pages.gateway([answer.gateway(['0.0.0.0/0'])]),
    says: /bastion allowed ips/,
  },
  {
    kind: securityGroupKind as AnyKind,
    want: {
      name: 'egress-proxy',
      inboundDefault: 'drop',
      outboundDefault: 'accept',
      rules: [inbound('203.0.113.7', 22)],
    },
    lists: { '/security_groups': { security_groups: [answer.group] }, '/rules': { rules: answer.rules } },
    says: /rules/,
  },
  { kind: poolKind as AnyKind, want: { ...poolWant, size: 3 }, lists: poolPages(answer.pool({})), says: /size/ },
  {
    kind: clusterKind as AnyKind,
    want: { ...clusterWant, cni: 'calico' },
    lists: pages.cluster([answer.cluster({})]),
    says: /replace cluster shared: cni/,
  },
])
  test(`${kind.name}: a true difference in such an answer is seen`, async () => {
    const live = await kind.read(want, await clientsOf(lists), report)
    assert.match(kind.diff(want, live)?.summary ?? '', says)
  })
