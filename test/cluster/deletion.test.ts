import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, map, pod } from './objects.ts'

const { test, before, after } = suite('cluster: deletion and owners')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('deletion')
})
after(() => cluster?.close())

const at = (name: string) => cluster.path('v1', 'configmaps', name)
const ownerOf = ({ metadata: { name, uid } }: Loose, more = {}) => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, ...more }],
})
const make = (name: string, metadata: Loose = {}) => cluster.make('v1', 'configmaps', map(name, { metadata }))
const remove = (name: string, propagationPolicy?: string) =>
  cluster.call('DELETE', at(name), propagationPolicy ? { propagationPolicy } : undefined)
const isGone = async (name: string) => (await cluster.call('GET', at(name))).code === 404
const unhold = (name: string) => cluster.patch(at(name), 'merge', { metadata: { finalizers: null } })
const held = { finalizers: ['example.com/hold'] }

test('a finalizer holds what is deleted', async () => {
  await make('held', held)
  const { code, body } = await remove('held')
  assert.equal([code, body.kind], [200, 'ConfigMap'])
  assert.match(body.metadata.deletionTimestamp, /^\d{4}-/)
  assert.is(body.metadata.deletionGracePeriodSeconds, 0)
  const again = await remove('held')
  assert.equal([again.code, again.body.metadata.deletionTimestamp], [200, body.metadata.deletionTimestamp])
  const more = await cluster.patch(at('held'), 'json', [
    { op: 'add', path: '/metadata/finalizers/-', value: 'example.com/late' },
  ])
  assert.is(more.code, 422)
  assert.match(
    more.body.message,
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/late"}',
  )
  assert.is((await cluster.patch(at('held'), 'merge', { data: { a: '2' } })).code, 200, 'it may change still')
  assert.is((await unhold('held')).code, 200)
  assert.ok(await isGone('held'))
})

test('a finalizer without a domain is refused', async () => {
  const { code, body } = await cluster.call(
    'POST',
    cluster.path('v1', 'configmaps'),
    map('plain', { metadata: { finalizers: ['plain'] } }),
  )
  assert.equal([code, body.reason], [422, 'Invalid'])
  assert.match(
    body.message,
    'metadata.finalizers[0]: Invalid value: "plain": name is neither a standard finalizer name nor is it fully qualified',
  )
})

for (const policy of ['Background', undefined])
  test(`${policy ?? 'without a policy'}: an owner goes at once, its dependents follow`, async () => {
    const word = policy ? 'back' : 'plain'
    const owner = await make(`${word}-owner`)
    await make(`${word}-child`, { ...ownerOf(owner), ...held })
    const { body } = await remove(`${word}-owner`, policy)
    assert.is(body.status, 'Success')
    assert.ok(await isGone(`${word}-owner`))
    const marked = async () => (await cluster.call('GET', at(`${word}-child`))).body.metadata?.deletionTimestamp
    await eventually(marked, 'a dependent that is deleted')
    await unhold(`${word}-child`)
    assert.ok(await isGone(`${word}-child`))
  })

test('Foreground: an owner waits for the dependents that block it', async () => {
  const owner = await make('fore-owner')
  await make('fore-child', { ...ownerOf(owner, { blockOwnerDeletion: true, controller: true }), ...held })
  const { body } = await remove('fore-owner', 'Foreground')
  assert.equal([body.kind, body.metadata.finalizers], ['ConfigMap', ['foregroundDeletion']])
  await eventually(
    async () => (await cluster.call('GET', at('fore-child'))).body.metadata?.deletionTimestamp,
    'a dependent that is deleted',
  )
  assert.is((await cluster.call('GET', at('fore-owner'))).code, 200)
  await unhold('fore-child')
  await eventually(() => isGone('fore-owner'), 'an owner that is gone')
})

test('Orphan: dependents stay, and have no owner', async () => {
  const owner = await make('orphan-owner')
  await make('orphan-child', ownerOf(owner))
  await remove('orphan-owner', 'Orphan')
  await eventually(() => isGone('orphan-owner'), 'an owner that is gone')
  const child = await cluster.call('GET', at('orphan-child'))
  assert.equal([child.code, child.body.metadata.ownerReferences], [200, undefined])
})

test('an owner that never was takes its dependents along', async () => {
  await make('lost', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'never' }] })
  await eventually(() => isGone('lost'), 'a dependent of nobody that is gone')
})

test('two controllers are one too many, and an owner says who it is', async () => {
  const references = ['a', 'b'].map(uid => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid, controller: true }))
  const post = (ownerReferences: Loose[]) =>
    cluster.call('POST', cluster.path('v1', 'configmaps'), map('two', { metadata: { ownerReferences } }))
  const two = await post(references)
  assert.is(two.code, 422)
  assert.match(two.body.message, 'Only one reference can have Controller set to true')
  const bare = await post([{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }])
  assert.equal(
    [bare.code, bare.body.details?.causes[0].field],
    [422, 'metadata.ownerReferences.uid'],
    bare.body.message,
  )
})

test('a Deployment takes its ReplicaSets along, or leaves them', async () => {
  for (const policy of ['Background', 'Orphan']) {
    const name = `d-${policy.toLowerCase()}`
    await cluster.make('apps/v1', 'deployments', deployment(name))
    const sets = async (): Promise<Loose[]> =>
      (await cluster.call('GET', `${cluster.path('apps/v1', 'replicasets')}?labelSelector=app%3D${name}`)).body.items
    await eventually(async () => (await sets()).length === 1, 'a ReplicaSet')
    const [owner] = (await sets())[0]!.metadata.ownerReferences
    assert.equal([owner.kind, owner.controller, owner.blockOwnerDeletion], ['Deployment', true, true])
    await cluster.call('DELETE', cluster.path('apps/v1', 'deployments', name), { propagationPolicy: policy })
    if (policy === 'Background') await eventually(async () => (await sets()).length === 0, 'no ReplicaSet')
    else await eventually(async () => !(await sets())[0]?.metadata.ownerReferences, 'a ReplicaSet of nobody')
  }
})

test('a pod that runs nowhere goes at once', async () => {
  await cluster.make(
    'v1',
    'pods',
    pod('nowhere', { nodeSelector: { 'egress-test/never': 'yes' }, terminationGracePeriodSeconds: 30 }),
  )
  const { code, body } = await cluster.call('DELETE', cluster.path('v1', 'pods', 'nowhere'))
  assert.equal([code, body.kind, body.metadata.deletionGracePeriodSeconds], [200, 'Pod', 0])
  assert.is((await cluster.call('GET', cluster.path('v1', 'pods', 'nowhere'))).code, 404)
})

test('all of a kind that match', async () => {
  for (const name of ['all-a', 'all-b']) await make(name, { labels: { all: 'yes' } })
  await make('all-c', { labels: { all: 'no' } })
  const { code, body } = await cluster.call('DELETE', `${cluster.path('v1', 'configmaps')}?labelSelector=all%3Dyes`)
  assert.equal([code, body.kind], [200, 'ConfigMapList'])
  assert.ok((await isGone('all-a')) && (await isGone('all-b')))
  assert.not.ok(await isGone('all-c'))
})

test('a namespace goes with what is in it, and takes in nothing meanwhile', async () => {
  const other = await openCluster('doomed')
  try {
    await other.make('v1', 'configmaps', map('held', { metadata: held }))
    const path = `/api/v1/namespaces/${other.namespace}`
    const gone = await other.call('DELETE', path)
    assert.equal([gone.code, gone.body.status.phase], [200, 'Terminating'])
    assert.equal(gone.body.spec.finalizers, ['kubernetes'])
    const { code, body } = await other.call('POST', other.path('v1', 'configmaps'), map('late'))
    assert.equal([code, body.reason], [403, 'Forbidden'])
    assert.is(
      body.message,
      `configmaps "late" is forbidden: unable to create new content in namespace ${other.namespace} because it is being terminated`,
    )
    assert.equal(body.details.causes, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${other.namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ])
    const status = await eventually(async () => {
      const conditions: Loose[] = (await other.call('GET', path)).body.status?.conditions ?? []
      return conditions.find(it => it.type === 'NamespaceFinalizersRemaining' && it.status === 'True')
    }, 'a namespace that says what it waits for')
    assert.match(status.message, 'example.com/hold in 1 resource instances')
    await other.patch(other.path('v1', 'configmaps', 'held'), 'merge', { metadata: { finalizers: null } })
    await eventually(async () => (await other.call('GET', path)).code === 404, 'a namespace that is gone', 120)
  } finally {
    await other.close()
  }
})

test('a namespace of the system stays', async () => {
  const { code, body } = await cluster.call('DELETE', '/api/v1/namespaces/kube-system?dryRun=All')
  assert.equal([code, body.message], [403, 'namespaces "kube-system" is forbidden: this namespace may not be deleted'])
})
