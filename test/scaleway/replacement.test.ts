import * as assert from 'uvu/assert'
import type { Problem } from '../../src/engine/problem.ts'
import { clusterKind } from '../../src/scaleway/cluster.ts'
import { gatewayKind } from '../../src/scaleway/gateway.ts'
import { privateNetworkKind } from '../../src/scaleway/private-network.ts'
import { vpcKind } from '../../src/scaleway/vpc.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { deploy, drift, report, undo } from './network.ts'

const { test, before, after } = suite('scaleway/replacement')

const cloud = oneStage({ before, after })

const wishes: typeof cloud.wishes = more => cloud.wishes(more)

for (const { what, from, to, changes } of [
  {
    what: 'a gateway that becomes smaller, and its leg with it',
    from: { gatewayType: 'VPC-GW-M' },
    to: { gatewayType: 'VPC-GW-S' },
    changes: ['replace gateway', 'create gateway-network'],
  },
  { what: 'a pool of other nodes', from: {}, to: { poolType: 'DEV1-L' }, changes: ['replace pool'] },
  {
    what: 'a private address that a server holds',
    from: {},
    to: { address: '172.16.28.12' },
    changes: ['replace ipam-address', 'update server'],
  },
  {
    what: 'a cluster with another network plugin',
    from: {},
    to: { cni: 'calico' },
    changes: ['replace cluster', 'create pool', 'update kubeconfig'],
  },
])
  test(`replaces ${what}`, async () => {
    const clients = await cloud.clients()
    await deploy(clients, wishes(from))
    const { done, lives } = await deploy(await cloud.clients(), wishes(to))
    assert.equal(
      done.filter(it => it.action).map(it => `${it.action} ${it.kind.name}`),
      changes,
    )
    assert.is(lives.server.privateIp, lives['ipam-address'].address)
    assert.equal(await drift(await cloud.clients(), wishes(to)), [])
  })

test('says of each replacement which rule asks for it', () => {
  const live = { id: 'n', name: 'n', vpcId: 'v', cidr: '10.0.0.0/22', defaultRoutePropagation: false }
  const change = privateNetworkKind.diff({ name: 'n', vpcId: 'w', cidr: '10.0.4.0/22' }, live)
  assert.is(
    change?.why,
    'the range of a private network is fixed when it is made; a private network cannot move to another VPC',
  )
  assert.equal(
    change?.details?.map(it => it.diff),
    ['cidr: 10.0.0.0/22 -> 10.0.4.0/22', 'vpc: v -> w'],
  )
})

test('what others live in says so', () => {
  for (const kind of [vpcKind, privateNetworkKind, clusterKind]) assert.is(kind.holds, true, kind.name)
  assert.is(gatewayKind.holds, undefined)
})

test('a network killed between its removal and its return is there once after the next run', async () => {
  const vpc = await vpcKind.apply({ name: 'small' }, await cloud.clients('small'), null, report)
  const want = (cidr: string) => ({ name: 'small', vpcId: vpc.id, cidr })
  const old = await privateNetworkKind.apply(want('10.1.0.0/22'), await cloud.clients('small'), null, report)
  let removed = false
  const dying: typeof fetch = async (input, init) => {
    if (removed) throw new Error('killed')
    const request = new Request(input, init)
    const response = await fetch(request.clone())
    removed = request.method === 'DELETE'
    return response
  }
  const killed = await cloud.clients('small', { fetch: dying, attempts: 1 })
  const failure = await privateNetworkKind.apply(want('10.2.0.0/22'), killed, old, report).catch(it => it)
  assert.instance(failure, Error)
  const clients = await cloud.clients('small')
  assert.is(await privateNetworkKind.read(want('10.2.0.0/22'), clients, report), null)
  const now = await privateNetworkKind.apply(want('10.2.0.0/22'), clients, null, report)
  assert.is(now.cidr, '10.2.0.0/22')
  assert.is(privateNetworkKind.diff(want('10.2.0.0/22'), now), null)
})

test('what was replaced is not promised back', async () => {
  const clients = await cloud.clients()
  await deploy(clients, wishes({ gatewayType: 'VPC-GW-M' }))
  const { done } = await deploy(clients, wishes({ gatewayType: 'VPC-GW-S' }))
  const gateway = done.filter(it => it.kind.name === 'gateway')
  const problem: Problem = await undo(clients, gateway).catch(it => it)
  assert.match(problem.message, /gateway egress cannot be brought back/)
  assert.match(problem.why, /took its place/)
})
