import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { gatewayKind } from '../../../src/scaleway/gateway.ts'
import { gatewayIpKind } from '../../../src/scaleway/gateway-ip.ts'
import { gatewayNetworkKind } from '../../../src/scaleway/gateway-network.ts'
import { removeGateway, removeGatewayNetwork } from '../../../src/scaleway/gateway-remove.ts'
import { privateNetworkKind } from '../../../src/scaleway/private-network.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { suite } from '../../support/suite.ts'
import { report } from '../network.ts'
import { recording, stage, within } from './stage.ts'

const { test, after } = suite('hazards/gateway')
const open = stage({ after })

/** A gateway of ours, through the Kinds. */
const made = async (more: object = {}) => {
  const cloud = await open()
  const record = recording()
  const scaleway = await cloud.clients('sandbox', { fetch: record.send })
  const ip = await gatewayIpKind.apply({ name: 'egress' }, scaleway, null, report)
  const want = { name: 'egress', type: 'VPC-GW-S', ipId: ip.id, bastion: { allowedIps: ['203.0.113.4'] }, ...more }
  const gateway = await gatewayKind.apply(want, scaleway, null, report)
  return { ...cloud, ...record, scaleway, ip, want, gateway }
}

/** Its leg in a private network, too. */
const attached = async () => {
  const it = await made()
  const { scaleway, gateway } = it
  const vpc = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const inside = { name: 'egress', vpcId: vpc.id, cidr: '172.16.28.0/22' }
  const network = await privateNetworkKind.apply(inside, scaleway, null, report)
  const join = { gatewayId: gateway.id, privateNetworkId: network.id, masquerade: true, defaultRoute: true }
  return { ...it, vpc, join }
}

test('a gateway is given its IP and gives it back, or it makes one that leaks', async () => {
  const { scaleway, ip, gateway, all } = await made()
  assert.is(all('POST', /\/gateways$/)[0]?.body.ip_id, ip.id)
  await removeGateway(scaleway, gateway.id, report)
  assert.is(all('DELETE', /\/gateways\//)[0]?.query.get('delete_ip'), 'false')
  const left = await scaleway.gateway.listIPs({}).all()
  assert.equal(
    left.map(it => it.id),
    [ip.id],
  )
})

test('a gateway that Scaleway locks while it goes is a Problem, and not waited for until the deadline', async () => {
  const { clients, gateway, conditions } = await made()
  conditions.set({ stuck: [{ kind: 'gateway', state: 'locked' }] })
  const scaleway = within(await clients(), { gateway: 60_000 })
  const problem = await removeGateway(scaleway, gateway.id, report).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /is locked/)
})

test('a PATCH of a gateway answers a stale running', async () => {
  const { scaleway, want, gateway } = await made()
  const other = { ...want, bastion: { port: 2222, allowedIps: ['203.0.113.0/28'] } }
  const now = await gatewayKind.apply(other, scaleway, gateway, report)
  assert.is(gatewayKind.diff(other, now), null)
  assert.equal(now.bastion, { enabled: true, port: 2222, allowedIps: ['203.0.113.0/28'], keys: null })
})

test('an upgrade passes through failed', async () => {
  const { scaleway, want, gateway, conditions } = await made()
  // Long enough for a look, however busy this machine is.
  conditions.set({ stuck: [{ kind: 'gateway', state: 'failed', thenMs: 1000 }] })
  const bigger = { ...want, type: 'VPC-GW-M' }
  const states = new Set<string>()
  const look = scaleway.gateway.getGateway
  scaleway.gateway.getGateway = async request => {
    const it = await look(request)
    states.add(it.status)
    return it
  }
  const now = await gatewayKind.apply(bigger, scaleway, gateway, report)
  assert.is(gatewayKind.diff(bigger, now), null)
  assert.ok(states.has('failed'), `it was ${[...states].join(', ')}`)
})

test('a gateway that stays failed is a Problem', async () => {
  const { clients, conditions } = await open()
  const scaleway = within(await clients(), { gateway: 2000 })
  conditions.set({ stuck: [{ kind: 'gateway', state: 'failed' }] })
  const ip = await gatewayIpKind.apply({ name: 'egress' }, scaleway, null, report)
  const want = { name: 'egress', type: 'VPC-GW-S', ipId: ip.id }
  const problem = await gatewayKind.apply(want, scaleway, null, report).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /gateway egress is failed/)
})

test('a gateway that never ends configuring is a Problem at its deadline', async () => {
  const { clients, conditions } = await open()
  const scaleway = within(await clients(), { gateway: 600 })
  conditions.set({ stuck: [{ kind: 'gateway', state: 'configuring' }] })
  const ip = await gatewayIpKind.apply({ name: 'egress' }, scaleway, null, report)
  const said: string[] = []
  const want = { name: 'egress', type: 'VPC-GW-S', ipId: ip.id }
  const saying = { ...report, waiting: (what: string) => said.push(what) }
  const problem = await gatewayKind.apply(want, scaleway, null, saying).catch(it => it)
  assert.match(problem.message, /gateway egress is still configuring/)
  assert.match(problem.next, /scaleway\.deadlines/)
  assert.ok(said.includes('gateway egress: configuring'))
})

test('a busy gateway refuses right after a look said running', async () => {
  const { scaleway, join, conditions, all, vpc } = await attached()
  const busy = {
    type: 'transient_state',
    message: 'resource is in a transient state',
    resource: 'gateway',
    resource_id: join.gatewayId,
    current_state: 'configuring',
  }
  conditions.set({
    faults: [
      { on: { method: 'POST', path: '/vpc-gw/**/gateway-networks' }, times: 2, do: { status: 409, body: busy } },
    ],
  })
  const leg = await gatewayNetworkKind.apply(join, scaleway, null, report)
  assert.is(leg.status, 'ready')
  assert.is(all('POST', /gateway-networks$/).length, 3)
  assert.ok(vpc.id)
})

test('created is not ready: a leg has no MAC address yet', async () => {
  const { scaleway, join } = await attached()
  const leg = await gatewayNetworkKind.apply(join, scaleway, null, report)
  const there = await scaleway.gateway.getGatewayNetwork({ gatewayNetworkId: leg.id })
  assert.is(there.status, 'ready')
  assert.ok(there.macAddress)
})

test('enable_masquerade comes back as masquerade_enabled', async () => {
  const { clients, scaleway, join, all } = await attached()
  await gatewayNetworkKind.apply(join, scaleway, null, report)
  assert.is(all('POST', /gateway-networks$/)[0]?.body.enable_masquerade, true)
  const found = await gatewayNetworkKind.read(join, await clients(), report)
  assert.is(found?.masquerade, true)
  assert.is(gatewayNetworkKind.diff(join, found), null)
})

test('a leg has neither name nor tags: the pair it joins is its identity', async () => {
  const { clients, scaleway, join, vpc } = await attached()
  const beside = await scaleway.vpc.createPrivateNetwork({
    name: 'beside',
    vpcId: vpc.id,
    subnets: ['10.9.0.0/22'],
    defaultRoutePropagationEnabled: false,
  })
  const theirs = { ...join, privateNetworkId: beside.id }
  const other = await gatewayNetworkKind.apply(theirs, scaleway, null, report)
  assert.is(await gatewayNetworkKind.read(join, await clients(), report), null)
  const ours = await gatewayNetworkKind.apply(join, scaleway, null, report)
  assert.is.not(ours.id, other.id)
  assert.is((await gatewayNetworkKind.read(join, await clients(), report))?.id, ours.id)
})

test('keys reach a bastion only when it is told to refresh them', async () => {
  const { scaleway, want, gateway, all } = await made()
  assert.is(all('POST', /refresh-ssh-keys$/).length, 0)
  const keyed = { ...want, bastion: { ...want.bastion, keyIds: ['key-1'] } }
  const once = await gatewayKind.apply(keyed, scaleway, gateway, report)
  assert.is(all('POST', /refresh-ssh-keys$/).length, 1)
  assert.is(gatewayKind.diff(keyed, once), null)
  const more = { ...want, bastion: { ...want.bastion, keyIds: ['key-1', 'key-2'] } }
  assert.ok(gatewayKind.diff(more, once))
  await gatewayKind.apply(more, scaleway, once, report)
  assert.is(all('POST', /refresh-ssh-keys$/).length, 2)
})

test('a new bastion begins with the keys of the project, and is not told to refresh them', async () => {
  const { all, gateway, want } = await made({ bastion: { allowedIps: ['203.0.113.4'], keyIds: ['key-1'] } })
  assert.is(gatewayKind.diff(want, gateway), null)
  assert.is(all('POST', /refresh-ssh-keys$/).length, 0)
  // Whom it lets in is the one thing that cannot be said when it is made.
  assert.is(all('PATCH', /\/gateways\//).length, 0)
  assert.is(all('PUT', /bastion-allowed-ips$/).length, 1)
})

test('a gateway that still has a leg is asked again until that is gone', async () => {
  const { scaleway, join, ip } = await attached()
  const leg = await gatewayNetworkKind.apply(join, scaleway, null, report)
  await Promise.all([removeGateway(scaleway, join.gatewayId, report), removeGatewayNetwork(scaleway, leg.id, report)])
  assert.equal(await scaleway.gateway.listGateways({}).all(), [])
  assert.is((await scaleway.gateway.getIP({ ipId: ip.id })).gatewayId ?? null, null)
})

test('an address of one host comes back with its mask, and is no drift', async () => {
  const { clients, want } = await made()
  assert.is(gatewayKind.diff(want, await gatewayKind.read(want, await clients(), report)), null)
})
