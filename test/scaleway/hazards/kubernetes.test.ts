import * as assert from 'uvu/assert'
import { site } from '../../../playbooks/site.ts'
import { graphOf } from '../../../src/engine/graph.ts'
import { Problem } from '../../../src/engine/problem.ts'
import { loadContext } from '../../../src/inventory/load.ts'
import { clusterKind, removeCluster } from '../../../src/scaleway/cluster.ts'
import { listOwned } from '../../../src/scaleway/leftovers.ts'
import { poolKind, removePool } from '../../../src/scaleway/pool.ts'
import { privateNetworkKind } from '../../../src/scaleway/private-network.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { root } from '../../inventory/edited.ts'
import { suite } from '../../support/suite.ts'
import { deploy, drift, report } from '../network.ts'
import { recording, stage, within } from './stage.ts'

const { test, after } = suite('hazards/kubernetes')
const open = stage({ after })

/** A cluster of ours without a pool. */
const made = async () => {
  const cloud = await open()
  const record = recording()
  const scaleway = await cloud.clients('sandbox', { fetch: record.send })
  const vpc = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const inside = { name: 'egress', vpcId: vpc.id, cidr: '172.16.28.0/22' }
  const network = await privateNetworkKind.apply(inside, scaleway, null, report)
  const want = { name: 'shared', version: '1.34', cni: 'cilium', privateNetworkId: network.id }
  const cluster = await clusterKind.apply(want, scaleway, null, report)
  const pool = {
    name: 'pool-a',
    clusterId: cluster.id,
    type: 'DEV1-M',
    size: 1,
    publicIpDisabled: false,
    labels: {},
    taints: [],
  }
  return { ...cloud, ...record, scaleway, network, want, cluster, pool }
}

test('a cluster without a pool ends at pool_required, and that is a good end', async () => {
  const { clients, want, cluster } = await made()
  assert.is(cluster.status, 'pool_required')
  assert.is(clusterKind.diff(want, await clusterKind.read(want, await clients(), report)), null)
})

test('with its last pool gone a cluster asks for one again, and that is no drift', async () => {
  const { clients, scaleway, want, pool, cluster } = await made()
  const { id } = await poolKind.apply(pool, scaleway, null, report)
  assert.is((await scaleway.k8s.getCluster({ clusterId: cluster.id })).status, 'ready')
  await removePool(scaleway, id, report)
  const live = await clusterKind.read(want, await clients(), report)
  assert.is(live?.status, 'pool_required')
  assert.is(clusterKind.diff(want, live), null)
})

test('a version is made of three numbers: a minor is resolved to its newest patch', async () => {
  const { clients, want, cluster, all } = await made()
  const [{ body } = { body: {} }] = all('POST', /\/clusters$/)
  assert.match(body.version, /^1\.34\.\d+$/)
  assert.is(cluster.version, body.version)
  assert.is(clusterKind.diff(want, await clusterKind.read(want, await clients(), report)), null)
})

test('a cluster is made in its private network, which is mandatory', async () => {
  const { network, all, cluster } = await made()
  assert.is(all('POST', /\/clusters$/)[0]?.body.private_network_id, network.id)
  assert.is(cluster.privateNetworkId, network.id)
})

test('an empty type comes back as kapsule', async () => {
  const { want, cluster } = await made()
  assert.is(cluster.type, 'kapsule')
  assert.is(clusterKind.diff({ ...want, type: '' }, cluster), null)
})

test('with_additional_resources would take the private network', async () => {
  const { scaleway, network, cluster, all } = await made()
  await removeCluster(scaleway, cluster.id, report)
  assert.is(all('DELETE', /\/clusters\//)[0]?.query.get('with_additional_resources'), 'false')
  assert.is((await scaleway.vpc.getPrivateNetwork({ privateNetworkId: network.id })).id, network.id)
})

test('clusters cannot be listed by tags: one of another context is not ours', async () => {
  const { clients, want } = await made()
  const other = await clients('other')
  assert.is(await clusterKind.read(want, other, report), null)
  assert.not.ok((await listOwned(other)).some(it => it.kind === 'cluster'))
})

test('the name of a cluster is unique in a project: one that others have is a Problem', async () => {
  const { clients, want, cluster } = await made()
  const problem = await clusterKind.apply(want, await clients('other'), null, report).catch(it => it)
  assert.match(problem.message, /cluster shared already/)
  assert.match(problem.why, cluster.id)
})

test('node_type comes back lower case', async () => {
  const { clients, scaleway, pool } = await made()
  const live = await poolKind.apply(pool, scaleway, null, report)
  assert.is(live.type, 'dev1_m')
  assert.is(poolKind.diff(pool, await poolKind.read(pool, await clients(), report)), null)
})

test('taints come back sorted', async () => {
  const { clients, scaleway, pool } = await made()
  const taint = (key: string) => ({ key, value: 'x', effect: 'NoSchedule' as const })
  const want = { ...pool, taints: [taint('z.example/b'), taint('a.example/a')] }
  await poolKind.apply(want, scaleway, null, report)
  assert.is(poolKind.diff(want, await poolKind.read(want, await clients(), report)), null)
})

test('the answer to a change of a pool is old, and so may be the next look', async () => {
  const { clients, scaleway, pool, conditions } = await made()
  const live = await poolKind.apply(pool, scaleway, null, report)
  conditions.set({ staleMs: 400 })
  const two = { ...pool, size: 2 }
  const now = await poolKind.apply(two, await clients(), live, report)
  conditions.clear()
  assert.is(now.size, 2)
  assert.is(poolKind.diff(two, now), null)
})

test('a pool in warning may heal', async () => {
  const { scaleway, pool, conditions } = await made()
  conditions.set({ stuck: [{ kind: 'pool', state: 'warning', thenMs: 1000 }] })
  const said: string[] = []
  const saying = { ...report, waiting: (what: string) => said.push(what) }
  assert.is((await poolKind.apply(pool, scaleway, null, saying)).status, 'ready')
  assert.ok(said.includes('pool pool-a: warning'))
})

test('a pool that stays in warning is a Problem', async () => {
  const { clients, pool, conditions } = await made()
  conditions.set({ stuck: [{ kind: 'pool', state: 'warning' }] })
  const short = within(await clients(), { pool: 2000 })
  assert.match((await poolKind.apply(pool, short, null, report).catch(it => it)).message, /pool pool-a is warning/)
})

test('a pool that Scaleway locks while it goes is a Problem, and not waited for until the deadline', async () => {
  const { clients, pool, conditions } = await made()
  const scaleway = within(await clients(), { pool: 60_000 })
  const { id } = await poolKind.apply(pool, scaleway, null, report)
  conditions.set({ stuck: [{ kind: 'pool', state: 'locked' }] })
  const problem = await removePool(scaleway, id, report).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /is locked/)
})

test('a cluster that Scaleway locks while it goes is a Problem, and not waited for until the deadline', async () => {
  const { clients, cluster, conditions } = await made()
  conditions.set({ stuck: [{ kind: 'cluster', state: 'locked' }] })
  const scaleway = within(await clients(), { cluster: 60_000 })
  const problem = await removeCluster(scaleway, cluster.id, report).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /is locked/)
})

test('nodes are servers of the project, and never ours', async () => {
  const { clients, scaleway, pool } = await made()
  const { nodes } = await poolKind.apply(pool, scaleway, null, report)
  const servers = await scaleway.instance.listServers({}).all()
  assert.equal(
    servers.map(it => it.name),
    nodes.map(it => it.name),
  )
  assert.not.ok((await listOwned(await clients())).some(it => it.kind === 'server'))
})

test('an address of a node is known by its name in IPAM alone', async () => {
  const { scaleway, pool } = await made()
  const { nodes } = await poolKind.apply(pool, scaleway, null, report)
  assert.match(nodes[0]?.address ?? '', /^172\.16\.\d+\.\d+$/)
})

test('nodes without public addresses come up only behind a gateway that is ready', async () => {
  const context = await loadContext('sandbox', { root })
  const { cloud } = site(context, { operatorKey: 'ssh-ed25519 AAAA', kubeconfig: '/nowhere' })
  const { parents } = graphOf(cloud)
  const pools = cloud.filter(it => it.kind.name === 'pool')
  assert.ok(pools.length > 0)
  for (const { id } of pools)
    assert.ok(
      parents.get(id)?.some(it => it.startsWith('gateway-network/')),
      `${id} may come before the gateway`,
    )
})

test('a kubeconfig is there as soon as the cluster wants a pool', async () => {
  const { scaleway, cluster } = await made()
  const blob = (await scaleway.k8s.getClusterKubeConfig({ clusterId: cluster.id })) as unknown as Blob
  assert.match(await blob.text(), /very-secret-token/)
})

test('what Kapsule makes beside a cluster is no drift', async () => {
  const { clients, wishes } = await open()
  await deploy(await clients(), wishes())
  assert.equal(await drift(await clients(), wishes()), [])
})
