import { readFileSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { criticalPath } from '../../src/engine/critical-path.ts'
import type { Desired } from '../../src/engine/desired.ts'
import { makePlan, type Seen } from '../../src/engine/plan.ts'
import { durationText, planText, roundly } from '../../src/report/plan.ts'
import { wrap } from '../../src/report/wrap.ts'
import { suite } from '../support/suite.ts'
import { from, thing, worldFor } from '../support/things.ts'

const { test } = suite('report: plan')

const planOf = async (desired: Desired[]) => (await makePlan(desired, worldFor())).seen

const firstDeploy = () => {
  const vpc = thing('vpc/egress', { want: { name: 'egress' } })
  const net = thing('private-network/egress', { holds: true, want: { vpcId: from(vpc), cidr: '172.16.28.0/22' } })
  const ip = thing('gateway-ip/egress', { want: { name: 'egress' } })
  const gateway = thing('gateway/egress', {
    takes: { create: 10 },
    want: {
      type: 'VPC-GW-S',
      ipId: from(ip),
      bastion: { allowedIps: ['203.0.113.0/24', '198.51.100.0/24'], keyIds: [] },
    },
  })
  const cluster = thing('cluster/shared', { takes: { create: 20 }, want: { net: from(net), cni: 'cilium' } })
  const pool = thing('pool/client-a-pool', {
    takes: { create: 330 },
    want: { clusterId: from(cluster) },
    after: [gateway],
  })
  const access = thing('kubeconfig/shared', { undo: undefined, takes: { create: 1 }, want: { of: from(pool) } })
  const play = thing('host-play/proxy-client-a', { looksThroughParents: true, want: { host: { ip: from(ip) } } })
  return planOf([vpc, net, ip, gateway, cluster, pool, access, play])
}

const changed = () => {
  const live = { id: 'x' }
  const net = thing('private-network/egress', {
    live,
    holds: true,
    change: {
      action: 'replace',
      summary: 'replace private network egress: cidr',
      why: 'Scaleway fixes the range of a network when it is made',
      details: [{ name: 'cidr', action: 'update', diff: 'cidr: 172.16.28.0/22 -> 172.16.32.0/22' }],
    },
  })
  const address = thing('ipam-address/proxy-client-a', { live, want: { network: from(net) } })
  const takes = { create: 60, delete: 20 }
  const server = thing('server/proxy-client-a', { live, takes, want: { address: from(address) } })
  const play = thing('host-play/proxy-client-a', { looksThroughParents: true, want: { host: from(server, 'ip') } })
  const group = thing('security-group/proxy', {
    live,
    change: {
      action: 'update',
      summary: 'update security group egress-proxy: rules',
      details: [
        { name: 'rule 1', action: 'create', diff: 'accept TCP 22 from 203.0.113.0/24' },
        { name: 'squid.conf', action: 'update', diff: '-http_access deny all\n+http_access deny !tenant\n' },
      ],
    },
  })
  const policy = thing('policy/old', { live, change: { action: 'delete', summary: 'delete policy old' } })
  const key = thing('ssh-key/op', { live, change: { action: 'replace', summary: 'replace SSH key' } })
  const gateway = thing('gateway/egress', { live, want: { key: from(key) } })
  return planOf([net, address, server, play, group, policy, key, gateway])
}

const whole = (seen: ReadonlyMap<string, Seen>, diff: boolean) =>
  [
    ...planText(seen.values(), { diff, protectedIds: new Set(['ssh-key/op', 'gateway/egress']) }),
    ...durationText(criticalPath(seen, new Set(seen.keys()))),
    '',
  ].join('\n')

for (const { name, plan, diff } of [
  { name: 'plan-first.txt', plan: firstDeploy, diff: false },
  { name: 'plan-first-diff.txt', plan: firstDeploy, diff: true },
  { name: 'plan-changed.txt', plan: changed, diff: false },
  { name: 'plan-changed-diff.txt', plan: changed, diff: true },
]) {
  test(`golden ${name}`, async () => {
    const golden = new URL(`../golden/${name}`, import.meta.url)
    const text = whole(await plan(), diff)
    if (process.env.UPDATE) writeFileSync(golden, text)
    assert.fixture(text, readFileSync(golden, 'utf8'))
    for (const line of text.split('\n')) assert.ok(line.length <= 80, `wider than 80: ${line}`)
  })
}

test('an empty plan is no text', async () => {
  const seen = await planOf([thing('vpc/egress', { live: { id: 'x' } })])
  assert.is(whole(seen, true), '')
})

for (const { seconds, says } of [
  { seconds: 0.4, says: '1 s' },
  { seconds: 59, says: '59 s' },
  { seconds: 60, says: '1 min' },
  { seconds: 361, says: '6 min' },
]) {
  test(`${seconds} s is about ${says}`, () => assert.is(roundly(seconds), says))
}

test('words wrap under the first; one that is too long stays whole', () => {
  assert.equal(wrap('  ', 'a bb ccc', 6), ['  a bb', '  ccc'])
  assert.equal(wrap('- ', 'a dddddddd b', 6), ['- a', '  dddddddd', '  b'])
})
