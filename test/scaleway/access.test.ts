import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { applyPlan } from '../../src/engine/apply.ts'
import { makePlan } from '../../src/engine/plan.ts'
import type { World } from '../../src/engine/world.ts'
import { loadContext } from '../../src/inventory/load.ts'
import type { ServerClients } from '../../src/scaleway/cloud-init.ts'
import { clusterAclKind } from '../../src/scaleway/cluster-acl.ts'
import { changed, cleanUp, mistakes } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'
import { oneStage } from './hazards/stage.ts'
import { report } from './network.ts'

const { test, before, after } = suite('scaleway/access')

const cloud = oneStage({ before, after })
after(cleanUp)

const worldOf = (clients: ServerClients): World => ({
  clientsFor: () => clients,
  journal: { run: 'test', record() {}, close() {} },
  watch() {},
  stop: new AbortController().signal,
  abort: new AbortController().signal,
})

const edits: Parameters<typeof changed>[0] = {
  'context.yaml': [
    ['  cni: cilium', '  cni: cilium\n  acl: [203.0.113.7/32, 198.51.100.0/24]'],
    ['type: DEV1-M, size: 1', 'type: DEV1-M, size: 1, autoscaling: { min: 2, max: 4 }, rootVolumeGb: 40'],
  ],
  'tenants/client-a.yaml': [['type: DEV1-M, size: 1', 'type: DEV1-M, size: 1, autohealing: false']],
}
const desired = async () => {
  const context = await loadContext('sandbox', { root: changed(edits), env: {} })
  return site(context, { operatorKey: `ssh-ed25519 ${'A'.repeat(68)}`, kubeconfig: join(cloud.dir, 'kubeconfig') })
    .cloud
}
const found = async () => {
  const plan = await makePlan(await desired(), worldOf(await cloud.clients()))
  return [...plan.seen.values()].flatMap(it => (it.step ? [it.step.change.summary] : []))
}

test('the API server is closed before there is any pool, and to everybody but those named and the nodes', async () => {
  const world = worldOf(await cloud.clients())
  const ended: string[] = []
  const plan = await makePlan(await desired(), world)
  const { failures, plan: now } = await applyPlan(plan, 'test', {
    ...world,
    watch: it => it.event === 'step-done' && ended.push(it.step),
  })
  assert.equal(failures, [])
  assert.ok(ended.indexOf('cluster-acl/shared') < ended.indexOf('pool/system'), ended.join())
  const { k8s } = await cloud.clients()
  const clusterId = (now.seen.get('cluster/shared')!.live as { id: string }).id
  const address = (now.seen.get('gateway-ip/egress')!.live as { address: string }).address
  const rules = await k8s.listClusterACLRules({ clusterId }).all()
  assert.equal(rules.map(it => it.ip).sort(), ['198.51.100.0/24', '203.0.113.7/32', `${address}/32`].sort())
  const pools = await k8s.listPools({ clusterId }).all()
  const pool = (name: string) => pools.find(it => it.name === name)
  const system = pool('system')
  assert.equal([system?.autoscaling, system?.minSize, system?.maxSize, system?.size], [true, 2, 4, 2])
  assert.is(system?.rootVolumeSize, 40e9)
  assert.is(pool('client-a-pool')?.autohealing, false)
  assert.is(pool('client-b-pool')?.autohealing, true)
  assert.equal(await found(), [])
})

test('a door that somebody opened is closed again; what the autoscaler did is left alone', async () => {
  const { k8s } = await cloud.clients()
  const [cluster] = await k8s.listClusters({}).all()
  const clusterId = cluster?.id ?? ''
  await k8s.setClusterACLRules({ clusterId, acls: [{ ip: '0.0.0.0/0', description: '' }] })
  assert.equal(await found(), ['update cluster ACL: allow'])
  const [leg] = [...(await makePlan(await desired(), worldOf(await cloud.clients()))).seen.values()].filter(
    it => it.step !== null,
  )
  const want = leg?.want as Parameters<typeof clusterAclKind.apply>[0]
  const clients = await cloud.clients()
  const before = await clusterAclKind.read(want, clients, report)
  const now = await clusterAclKind.apply(want, clients, before, report)
  assert.equal(await found(), [])
  await clusterAclKind.undo?.(want, clients, before, now, report)
  await clusterAclKind.undo?.(want, clients, before, now, report)
  assert.equal(
    (await k8s.listClusterACLRules({ clusterId }).all()).map(it => it.ip),
    ['0.0.0.0/0'],
  )
})

test('the API spells ranges in other ways, and that is no difference', () => {
  const want = { clusterId: 'c', allow: ['203.0.113.7', '2001:db8::/32'], nodesFrom: '198.51.100.9' }
  const allow = ['198.51.100.9/32', '2001:db8::/32', '203.0.113.7/32']
  assert.is(clusterAclKind.diff(want, { clusterId: 'c', allow }), null)
  assert.is(clusterAclKind.diff({ ...want, allow: [...want.allow, '203.0.113.7/32'] }, { clusterId: 'c', allow }), null)
  assert.is(clusterAclKind.diff(want, { clusterId: 'c', allow: ['0.0.0.0/0'] })?.action, 'update')
})

test('limits of an autoscaler that cannot be are a mistake of the inventory', async () => {
  const wrong: Parameters<typeof changed>[0] = {
    'tenants/client-a.yaml': [['type: DEV1-M, size: 1', 'type: DEV1-M, autoscaling: { min: 4, max: 2 }']],
  }
  const all = await mistakes(changed(wrong))
  assert.is(all.length, 1)
  assert.match(all[0]?.message ?? '', /client-a\.yaml:\d+:\d+.*at least 4 and at most 2 nodes/)
})
