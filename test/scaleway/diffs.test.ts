import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type ClusterLive, clusterKind } from '../../src/scaleway/cluster.ts'
import { type GatewayLive, gatewayKind } from '../../src/scaleway/gateway.ts'
import { gatewayNetworkKind } from '../../src/scaleway/gateway-network.ts'
import { ipamAddressKind } from '../../src/scaleway/ipam-address.ts'
import { kubeconfigKind } from '../../src/scaleway/kubeconfig.ts'
import { type PoolLive, poolKind } from '../../src/scaleway/pool.ts'
import { privateNetworkKind } from '../../src/scaleway/private-network.ts'
import { type SecurityGroupLive, securityGroupKind } from '../../src/scaleway/security-group.ts'
import { type ServerLive, serverKind } from '../../src/scaleway/server.ts'
import { sshKeyKind } from '../../src/scaleway/ssh-key.ts'
import { vpcKind } from '../../src/scaleway/vpc.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/diffs')

type Outcome = 'create' | 'update' | 'replace' | null | RegExp
const table =
  <W, L>(kind: { name: string; diff(want: W, live: L | null): { action: string } | null }, want: W, live: L) =>
  (rows: [when: string, change: Partial<L> | null, outcome: Outcome][]) => {
    for (const [when, change, outcome] of rows)
      test(`${kind.name}: ${when}`, () => {
        const ask = () => kind.diff(want, change && { ...live, ...change })
        if (!(outcome instanceof RegExp)) return assert.is(ask()?.action ?? null, outcome)
        assert.throws(ask, (it: Problem) => it instanceof Problem && outcome.test(`${it.message} ${it.why}`))
      })
  }

table(
  vpcKind,
  { name: 'egress' },
  { id: 'v', name: 'egress' },
)([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['renamed by hand', { name: 'x' }, 'update'],
])

table(
  privateNetworkKind,
  { name: 'egress', vpcId: 'v', cidr: '172.16.28.0/22' },
  { id: 'n', name: 'egress', vpcId: 'v', cidr: '172.16.28.0/22', defaultRoutePropagation: false },
)([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['another range', { cidr: '10.0.0.0/22' }, 'replace'],
  ['another VPC', { vpcId: 'w' }, 'replace'],
  ['propagates routes', { defaultRoutePropagation: true }, 'update'],
])

table(
  ipamAddressKind,
  { name: 'proxy', privateNetworkId: 'n', address: '172.16.28.8' },
  { id: 'i', address: '172.16.28.8', attachedTo: null as string | null },
)([
  ['absent', null, 'create'],
  ['the same, held by a server', { attachedTo: 'nic' }, null],
  ['another, free', { address: '172.16.28.9' }, 'replace'],
  ['another, in use', { address: '172.16.28.9', attachedTo: 'nic' }, 'replace'],
])

const bastion = { enabled: true, port: 61000, allowedIps: ['203.0.113.0/24'], keys: null }
table(gatewayKind, { name: 'egress', type: 'VPC-GW-S', ipId: 'ip', bastion: { allowedIps: ['203.0.113.0/24'] } }, {
  id: 'g',
  name: 'egress',
  type: 'VPC-GW-S',
  ipId: 'ip',
  address: '203.0.113.10',
  status: 'running',
  bastion,
} as GatewayLive)([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['still busy', { status: 'configuring' }, 'update'],
  ['a smaller type', { type: 'VPC-GW-M' }, 'replace'],
  ['another IP', { ipId: 'other' }, 'replace'],
  ['open to the world', { bastion: { ...bastion, allowedIps: ['0.0.0.0/0'] } }, 'update'],
  ['bastion off', { bastion: { ...bastion, enabled: false } }, 'update'],
])

test('gateway: the keys of its bastion are known by their ids, in any order', () => {
  const want = (keyIds: string[]) => ({ name: 'g', type: 'VPC-GW-S', ipId: 'ip', bastion: { keyIds } })
  const live = (keys: string | null): GatewayLive => ({
    id: 'g',
    name: 'g',
    type: 'VPC-GW-S',
    ipId: 'ip',
    address: 'a',
    status: 'running',
    bastion: { enabled: true, port: 61000, allowedIps: ['0.0.0.0/0'], keys },
  })
  const told = gatewayKind.diff(want(['a', 'b']), live(null))?.details?.[0]?.diff?.split('-> ')[1] as string
  assert.match(told, /^[0-9a-f]{12}$/)
  assert.is(gatewayKind.diff(want(['b', 'a']), live(told)), null)
  assert.is(gatewayKind.diff(want(['b', 'c']), live(told))?.action, 'update')
})

const leg = { gatewayId: 'g', privateNetworkId: 'n', masquerade: true, defaultRoute: true }
table(gatewayNetworkKind, leg, { ...leg, id: 'l', status: 'ready', ipamIpId: 'i' })([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['created is not ready', { status: 'created' }, 'update'],
  ['no masquerade', { masquerade: false }, 'update'],
])

table(
  sshKeyKind,
  { name: 'k', publicKey: 'ssh-ed25519 AAAA me@here' },
  { id: 'k', publicKey: 'ssh-ed25519 AAAA' },
)([
  ['absent', null, 'create'],
  ['the same without its comment', {}, null],
  ['another key', { publicKey: 'ssh-ed25519 BBBB' }, 'replace'],
])

const rules = [
  'inbound accept TCP 203.0.113.7 22',
  'inbound accept TCP 172.16.28.0/22 3128',
  'inbound accept ICMP 0.0.0.0/0',
  'outbound accept UDP 0.0.0.0/0 1000-2000',
]
table(
  securityGroupKind,
  {
    name: 'proxy',
    inboundDefault: 'drop',
    outboundDefault: 'accept',
    rules: [
      {
        direction: 'outbound',
        action: 'accept',
        protocol: 'UDP',
        ipRange: '0.0.0.0/0',
        ports: { from: 1000, to: 2000 },
      },
      {
        direction: 'inbound',
        action: 'accept',
        protocol: 'TCP',
        ipRange: '203.0.113.7/32',
        ports: { from: 22, to: 22 },
      },
      {
        direction: 'inbound',
        action: 'accept',
        protocol: 'TCP',
        ipRange: '172.16.28.0/22',
        ports: { from: 3128, to: 3128 },
      },
      { direction: 'inbound', action: 'accept', protocol: 'ICMP', ipRange: '0.0.0.0/0' },
    ],
  },
  { id: 's', name: 'proxy', inbound: 'drop', outbound: 'accept', rules } as SecurityGroupLive,
)([
  ['absent', null, 'create'],
  ['the same as the API spells it', {}, null],
  ['a rule too many', { rules: [...rules, 'inbound accept TCP 0.0.0.0/0 22'] }, 'update'],
  ['another order in one direction', { rules: [rules[1], rules[0], rules[2], rules[3]] as string[] }, 'update'],
  ['open by default', { inbound: 'accept' }, 'update'],
])

table(
  serverKind,
  {
    name: 'proxy',
    type: 'PLAY2-PICO',
    image: 'ubuntu_noble',
    privateNetworkId: 'n',
    ipamIpId: 'i',
    flexibleIpId: 'f',
    securityGroupId: 's',
    cloudInit: {},
  },
  {
    id: 'srv',
    name: 'proxy',
    type: 'PLAY2-PICO',
    state: 'running',
    nicId: 'nic',
    ipamIpId: 'i',
    privateIp: '172.16.28.8',
    flexibleIpId: 'f',
    publicIp: '203.0.113.100',
    securityGroupId: 's',
    hostKey: 'ssh-ed25519 AAAA',
    userDataSha: 'x',
    userDataIsCurrent: true,
  } as ServerLive,
)([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['off', { state: 'stopped' }, 'update'],
  [
    'made and then left',
    { state: 'stopped', nicId: null, ipamIpId: null, userDataSha: null, userDataIsCurrent: false },
    'update',
  ],
  ['another private address', { ipamIpId: 'j' }, 'update'],
  ['its public address taken away', { flexibleIpId: null, publicIp: null }, 'update'],
  ['other user data', { userDataIsCurrent: false }, 'replace'],
  ['running without user data', { userDataSha: null, userDataIsCurrent: false }, 'replace'],
  ['another type', { type: 'PRO2-XXS' }, 'replace'],
  ['locked', { state: 'locked' }, /locked/],
])

table(clusterKind, { name: 'shared', version: '1.34', cni: 'cilium', privateNetworkId: 'n' }, {
  id: 'c',
  name: 'shared',
  status: 'ready',
  version: '1.34.2',
  cni: 'cilium',
  type: 'kapsule',
  privateNetworkId: 'n',
  podCidr: '100.64.0.0/15',
  serviceCidr: '10.32.0.0/20',
  dnsIp: '10.32.0.10',
} as ClusterLive)([
  ['absent', null, 'create'],
  ['a patch of the minor', {}, null],
  ['without pools', { status: 'pool_required' }, null],
  ['on its way', { status: 'creating' }, 'update'],
  ['an older minor', { version: '1.33.9' }, /runs 1\.33\.9/],
  ['a minor that only begins alike', { version: '1.340.0' }, /runs 1\.340/],
  ['another network', { privateNetworkId: 'm' }, 'replace'],
])

table(
  poolKind,
  {
    name: 'client-a-pool',
    clusterId: 'c',
    type: 'DEV1-M',
    size: 2,
    publicIpDisabled: true,
    labels: { 'node-pool': 'client-a-pool' },
    taints: [
      { key: 'b', value: 'x', effect: 'NoSchedule' },
      { key: 'a', value: 'dedicated', effect: 'NoSchedule' },
    ],
  },
  {
    id: 'p',
    name: 'client-a-pool',
    status: 'ready',
    type: 'dev1_m',
    zone: 'fr-par-1',
    size: 2,
    autoscaling: null,
    autohealing: true,
    publicIpDisabled: true,
    labels: { 'node-pool': 'client-a-pool' },
    taints: ['a=dedicated:NoSchedule', 'b=x:NoSchedule'],
    nodes: [],
    addresses: [],
  } as PoolLive,
)([
  ['absent', null, 'create'],
  ['the same as the API spells it', {}, null],
  ['smaller', { size: 1 }, 'update'],
  ['another label', { labels: {} }, 'update'],
  ['a taint less', { taints: ['a=dedicated:NoSchedule'] }, 'update'],
  ['scaling', { status: 'scaling' }, 'update'],
  ['public addresses', { publicIpDisabled: false }, 'replace'],
  ['another type', { type: 'dev1_l' }, 'replace'],
])

test('pool: under an autoscaler neither size nor scaling is drift', () => {
  const want = {
    name: 'p',
    clusterId: 'c',
    type: 'DEV1-M',
    size: 1,
    publicIpDisabled: true,
    labels: {},
    taints: [],
    autoscaling: { min: 1, max: 5 },
  }
  const live: PoolLive = {
    id: 'p',
    name: 'p',
    status: 'scaling',
    type: 'dev1_m',
    zone: 'fr-par-1',
    size: 4,
    autoscaling: { min: 1, max: 5 },
    autohealing: true,
    publicIpDisabled: true,
    labels: {},
    taints: [],
    nodes: [],
    addresses: [],
  }
  assert.is(poolKind.diff(want, live), null)
})

table(
  kubeconfigKind,
  { clusterId: 'c', path: '/k' },
  { path: '/k', server: 'https://x', sha256: 'a', clusterSha256: 'a' as string | null, mode: '600', ours: true },
)([
  ['absent', null, 'create'],
  ['the same', {}, null],
  ['the token was reset', { clusterSha256: 'b' }, 'update'],
  ['readable for others', { mode: '644' }, 'update'],
  ["somebody else's", { ours: false }, /not ours/],
])
