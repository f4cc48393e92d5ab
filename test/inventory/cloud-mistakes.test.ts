import { Instancev1, K8Sv1 } from '@scaleway/sdk'
import * as assert from 'uvu/assert'
import { freeIn } from '../../src/engine/ranges.ts'
import { isPrivate, isWide, usableIn } from '../../src/inventory/ranges.ts'
import { region, zone } from '../../src/inventory/words.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: what the cloud would refuse')
after(cleanUp)

const range = '172.16.28.0/22'
const pools = 'pools: [{ name: system, type: DEV1-M, size: 1 }]'
const bastionAllow = /^ {4}allow: &operators\n( {6}- .*\n)+/m

for (const { when, file = 'context.yaml', edits, only } of [
  {
    when: 'a region that is not there',
    edits: [['region: fr-par, zone: fr-par-1', 'region: fr-pra, zone: fr-par-1']],
    only: /:\d+:21: .*fr-pra.*fr-par, nl-ams.*did you mean fr-par\?/,
  },
  { when: 'a zone that is not there', edits: [['fr-par-1', 'fr-par-7']], only: /fr-par-7.*did you mean fr-par-1\?/ },
  {
    when: 'a zone of another region, with those of this one',
    edits: [['fr-par-1', 'nl-ams-1']],
    only: /use fr-par-1, fr-par-2, fr-par-3/,
  },
  { when: 'a public range', edits: [[range, '8.8.8.0/22']], only: /8.8.8.0\/22 cannot .* out of reach/ },
  { when: 'the edge of all addresses', edits: [[range, '255.255.252.0/22']], only: /255.255.252.0\/22 cannot/ },
  { when: 'too large a network', edits: [[range, '172.16.0.0/16']], only: /\/16 is too large.*\/20 to \/29/ },
  { when: 'too small a network', edits: [[range, '172.16.28.8/30']], only: /\/30 is too small.*\/20 to \/29/ },
  {
    when: 'a network without room for its nodes',
    edits: [
      [range, '172.16.28.0/28'],
      [pools, 'pools: [{ name: system, type: DEV1-M, size: 20 }]'],
    ],
    only: /too small for what is to join it.*2 proxies, \d+ nodes and the gateway need \d+ addresses, and it has 12/,
  },
  {
    when: 'Services beyond what Kubernetes takes',
    edits: [['  version: "1.34"', '  version: "1.34"\n  serviceCidr: 10.0.0.0/8']],
    only: /10.0.0.0\/8 cannot be the range of Services.*at most a \/12/,
  },
  {
    when: 'Services without a tenth address',
    edits: [['  version: "1.34"', '  version: "1.34"\n  serviceCidr: 10.32.0.0/29']],
    only: /tenth address/,
  },
  {
    when: 'a network named like a domain',
    edits: [['{ name: egress, cidr', '{ name: dev, cidr']],
    only: /hides \.dev/,
  },
  {
    when: 'a bastion for everybody',
    edits: [
      [bastionAllow, '    allow: &operators [0.0.0.0/0]\n'],
      ['user: root', 'user: root\n  open: true'],
    ],
    only: /0.0.0.0\/0 lets the whole internet in.*beside bastion's allow/,
  },
  {
    when: 'metrics for everybody',
    edits: [['ssh:', 'monitoring: { allow: ["0.0.0.0/0"] }\nssh:']],
    only: /0.0.0.0\/0 lets the whole internet in.*could read the metrics.*write the addresses of the monitoring/,
  },
  {
    when: 'half of the internet as operators',
    edits: [['allow: *operators', 'allow: ["128.0.0.0/1"]']],
    only: /128.0.0.0\/1 lets the whole internet in.*beside ssh's allow/,
  },
  { when: 'a port no bastion has', edits: [['port: 61000', 'port: 22']], only: /cannot listen on 22.*1024 to 59999/ },
  {
    when: 'a pool of nodes that are too small',
    edits: [[pools, 'pools: [{ name: system, type: PLAY2-PICO, size: 1 }]']],
    only: /PLAY2-PICO cannot be a node.*DEV1-M/,
  },
  {
    when: 'a network without room for what pools may grow to',
    edits: [
      [range, '172.16.28.0/27'],
      [pools, 'pools: [{ name: system, type: DEV1-M, autoscaling: { min: 1, max: 50 } }]'],
    ],
    only: /too small for what is to join it/,
  },
  {
    when: 'limits of a pool the wrong way round',
    edits: [[pools, 'pools: [{ name: system, type: DEV1-M, autoscaling: { min: 3, max: 2 } }]']],
    only: /at least 3 and at most 2 nodes.*swap/,
  },
  {
    when: 'a pool that starts beyond its limits',
    file: 'tenants/client-a.yaml',
    edits: [[/type: DEV1-M, size: \d+/, 'type: DEV1-M, size: 5, autoscaling: { min: 1, max: 3 }']],
    only: /:4:\d+: a pool of at most 3 nodes cannot start with 5/,
  },
  {
    when: 'a host in a range of the API server',
    edits: [['  cni: cilium', '  cni: cilium\n  acl: [203.0.113.9/24]']],
    only: /:\d+:9: 203.0.113.9\/24 names a host.*203.0.113.0\/24/,
  },
  {
    when: 'a pool for a missing tenant',
    edits: [[pools, 'pools: [{ name: gpu, type: DEV1-M, tenant: client-x }]']],
    only: /:\d+:46: the pool gpu is for client-x.*client-a, client-b.*did you mean client-a\?/,
  },
  {
    when: "a tenant's pool of nodes that are too small",
    file: 'tenants/client-a.yaml',
    edits: [[/type: DEV1-M/, 'type: dev1_s']],
    only: /client-a.yaml:\d+:\d+: a dev1_s cannot be a node/,
  },
  {
    when: 'an address outside, with one that is free',
    file: 'tenants/client-a.yaml',
    edits: [['172.16.28.8', '172.16.32.8']],
    only: /172.16.32.8 cannot be the proxy's address.*e\.g\. 172.16.28.8/,
  },
  {
    when: 'a name that the API would refuse',
    file: 'tenants/client-a.yaml',
    edits: [[/name: client-a-pool/, 'name: client_a_pool']],
    only: /client_a_pool.*lower-case letters, digits and dashes/,
  },
] as { when: string; file?: string; edits: [string | RegExp, string][]; only: RegExp }[]) {
  test(`one mistake and no other: ${when}`, async () => {
    const found = await mistakes(changed({ [file]: edits }))
    // Another range leaves the tenants' addresses outside: that follows, and is told as well.
    const cloud = found.filter(it => only.test(textOf(it)) || !it.message.includes("cannot be the proxy's address"))
    assert.is(cloud.length, 1, found.map(it => it.message).join('\n'))
    assert.match(textOf(cloud[0]!), only)
    assert.is(cloud[0]!.exit, 2)
    assert.match(cloud[0]!.message, /^inventory\/sandbox\/[a-z/-]+\.yaml:\d+:\d+: /)
  })
}

const textOf = ({ message, why, next }: { message: string; why: string; next: string }) => `${message} ${why} ${next}`

for (const { when, file = 'context.yaml', edits } of [
  {
    when: 'the whole internet, when it is asked for',
    edits: [
      [bastionAllow, '    allow: &operators [0.0.0.0/0]\n    open: true\n'],
      ['user: root', 'user: root\n  open: true'],
    ],
  },
  { when: 'one more pool for a tenant', edits: [[pools, 'pools: [{ name: gpu, type: DEV1-M, tenant: client-b }]']] },
  {
    when: 'pools of no concern, as the cluster exists already',
    edits: [
      ['  version: "1.34"', '  version: "1.34"\n  kubeconfig: mine.yaml'],
      [pools, 'pools: [{ name: system, type: DEV1-S, size: 100 }]'],
      [range, '172.16.28.0/27'],
    ],
  },
  { when: 'the largest network', edits: [[range, '172.16.16.0/20']] },
  { when: 'a bastion on a port of our own', edits: [['port: 61000', 'port: 2222']] },
] as { when: string; file?: string; edits: [string | RegExp, string][] }[]) {
  test(`no mistake: ${when}`, async () => {
    assert.equal(
      (await mistakes(changed({ [file]: edits }))).map(it => it.message),
      [],
    )
  })
}

test('every place that the client library knows is known', () => {
  const [zonal, regional] = [Instancev1.API.LOCALITY, K8Sv1.API.LOCALITY]
  const zones = zonal.type === 'zone' ? zonal.zones : []
  const regions = regional.type === 'region' ? regional.regions : []
  assert.ok(zones.length > 0 && regions.length > 0)
  for (const it of zones) assert.ok(zone.safeParse(it).success, it)
  for (const it of regions) assert.ok(region.safeParse(it).success, it)
})

test('ranges: private, wide, room, and the first free address', () => {
  assert.equal(['10.1.0.0/16', '172.31.0.0/20', '172.32.0.0/20', '192.168.0.0/16', '192.0.0.0/8'].map(isPrivate), [
    true,
    true,
    false,
    true,
    false,
  ])
  assert.equal(['0.0.0.0/0', '0.0.0.0/1', '10.0.0.0/8', '::/0', '2001:db8::/32'].map(isWide), [
    true,
    true,
    false,
    true,
    false,
  ])
  assert.is(usableIn('172.16.28.0/29'), 4)
  assert.is(
    freeIn('172.16.28.0/22', it => it === '172.16.28.8'),
    '172.16.28.9',
  )
  assert.is(
    freeIn('172.16.28.0/29', () => false),
    undefined,
  )
})
