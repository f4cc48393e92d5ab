import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { map, pod } from './objects.ts'

const { test, before, after } = suite('cluster: lists')
let cluster: Cluster
const names = ['a', 'b', 'c', 'd', 'e']
before(async () => {
  cluster = await openCluster('lists')
  for (const name of names)
    await cluster.make(
      'v1',
      'configmaps',
      map(name, { metadata: { labels: { page: 'yes', tier: name < 'c' ? 'one' : 'two' } } }),
    )
})
after(() => cluster?.close())

const list = (query: string, plural = 'configmaps') => cluster.call('GET', `${cluster.path('v1', plural)}?${query}`)
const found = (body: Loose) => body.items.map((it: Loose) => it.metadata.name)
const select = (labels: string) => `labelSelector=${encodeURIComponent(labels)}`

test('a list has its kind, a version, and items without a kind', async () => {
  const { code, body } = await list(select('page=yes'))
  assert.equal([code, body.kind, body.apiVersion], [200, 'ConfigMapList', 'v1'])
  assert.match(body.metadata.resourceVersion, /^\d+$/)
  assert.equal([body.items[0].kind, body.items[0].apiVersion], [undefined, undefined])
  assert.equal(found(body), names)
})

test('an empty list has items all the same', async () => {
  const { body } = await list(select('page=no'))
  assert.equal(body.items, [])
  const other = await cluster.call('GET', cluster.path('apps/v1', 'deployments'))
  assert.equal([other.body.kind, other.body.items], ['DeploymentList', []])
})

test('pages go on from a token, and all are of one moment', async () => {
  const first = await list('limit=2')
  const { continue: token, remainingItemCount, resourceVersion } = first.body.metadata
  // The cluster's own kube-root-ca.crt comes last, where there is one.
  const all = found((await list('')).body)
  assert.equal(found(first.body), all.slice(0, 2))
  assert.is(remainingItemCount, all.length - 2)
  await cluster.make('v1', 'configmaps', map('bb'))
  const second = await list(`limit=2&continue=${encodeURIComponent(token)}`)
  assert.is(second.body.metadata.resourceVersion, resourceVersion)
  assert.equal(found(second.body), all.slice(2, 4), 'not what was made meanwhile')
  const rest = await list(`continue=${encodeURIComponent(second.body.metadata.continue)}`)
  assert.equal(found(rest.body), all.slice(4))
  assert.is(rest.body.metadata.continue, undefined)
  await cluster.call('DELETE', cluster.path('v1', 'configmaps', 'bb'))
})

test('with a selector no count of what remains is told', async () => {
  const { body } = await list(`limit=2&${select('page=yes')}`)
  assert.equal(found(body), ['a', 'b'])
  assert.ok(body.metadata.continue)
  assert.is(body.metadata.remainingItemCount, undefined)
})

test('a token that is none is 400', async () => {
  const { code, body } = await list('limit=2&continue=nonsense')
  assert.equal([code, body.reason], [400, 'BadRequest'])
  assert.match(body.message, 'continue key is not valid')
})

for (const [labels, expected] of [
  ['tier=one', ['a', 'b']],
  ['tier==one', ['a', 'b']],
  ['tier!=one,page', ['c', 'd', 'e']],
  ['tier in (one, two),page=yes', names],
  ['tier notin (two),page', ['a', 'b']],
  ['!tier,page', []],
  ['page=yes,tier=two', ['c', 'd', 'e']],
] as const)
  test(`labels: ${labels}`, async () => assert.equal(found((await list(select(labels))).body), expected))

test('a selector that is none is 400, and says what was expected', async () => {
  const { code, body } = await list(select('a in b'))
  assert.equal([code, body.reason], [400, 'BadRequest'])
  assert.match(body.message, 'unable to parse requirement')
})

test('a field that cannot be selected by is 400', async () => {
  const { code, body } = await list('fieldSelector=data.a%3D1')
  assert.equal([code, body.reason], [400, 'BadRequest'])
  assert.is(body.message, '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"')
  const pods = await list('fieldSelector=spec.foo%3D1', 'pods')
  assert.equal([pods.code, pods.body.message], [400, 'field label not supported: spec.foo'])
  const none = await list('fieldSelector=metadata.name')
  assert.equal(
    [none.code, none.body.message],
    [400, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  )
})

test('a version that is none is 400, one that only will be is 504', async () => {
  const none = await list('resourceVersion=abc')
  assert.equal([none.code, none.body.reason], [400, 'BadRequest'])
  assert.match(none.body.message, 'invalid resource version: resourceVersion: Invalid value: "abc"')
  const later = await list('resourceVersion=9007199254740991&resourceVersionMatch=NotOlderThan')
  assert.equal([later.code, later.body.reason], [504, 'Timeout'])
  assert.equal(later.body.details, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
  assert.is(later.headers.get('retry-after'), '1')
})

test('fields: of metadata, and what a pod has', async () => {
  assert.equal(found((await list('fieldSelector=metadata.name%3Db')).body), ['b'])
  const fields = `metadata.namespace=${cluster.namespace},metadata.name!=a`
  assert.equal(
    found((await list(`${select('page')}&fieldSelector=${encodeURIComponent(fields)}`)).body),
    names.slice(1),
  )
  await cluster.make('v1', 'pods', pod('unplaced', { nodeSelector: { 'egress-test/never': 'yes' } }))
  const pods = async (fields: string) => found((await list(`fieldSelector=${encodeURIComponent(fields)}`, 'pods')).body)
  assert.equal(await pods('spec.nodeName='), ['unplaced'])
  assert.equal(await pods('status.phase=Pending,spec.restartPolicy=Always'), ['unplaced'])
  assert.equal(await pods('status.phase!=Pending'), [])
})

test('all namespaces at once, and across them by a field', async () => {
  const { body } = await cluster.call('GET', `/api/v1/configmaps?${select('page=yes,tier=one')}`)
  const ours = body.items.filter((it: Loose) => it.metadata.namespace === cluster.namespace)
  assert.equal(found({ items: ours }), ['a', 'b'])
})

test('from the cache, and of an exact version', async () => {
  const cached = await list(`resourceVersion=0&${select('page=yes')}`)
  assert.equal([cached.code, found(cached.body)], [200, names])
  const { resourceVersion } = (await list('')).body.metadata
  await cluster.make('v1', 'configmaps', map('later', { metadata: { labels: { page: 'yes' } } }))
  const exact = await list(`resourceVersion=${resourceVersion}&resourceVersionMatch=Exact&${select('page=yes')}`)
  assert.equal([exact.code, found(exact.body), exact.body.metadata.resourceVersion], [200, names, resourceVersion])
  const fresh = await list(`resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan&${select('page=yes')}`)
  assert.ok(found(fresh.body).length >= names.length)
  const { code, body } = await list('resourceVersionMatch=Exact')
  assert.equal([code, body.reason], [422, 'Invalid'])
  assert.match(body.message, 'resourceVersionMatch is forbidden unless resourceVersion is provided')
  await cluster.call('DELETE', cluster.path('v1', 'configmaps', 'later'))
})

test('a namespace that is not there has nothing in it', async () => {
  const { code, body } = await cluster.call('GET', '/api/v1/namespaces/egress-test-never/configmaps')
  assert.equal([code, body.items], [200, []])
})

test('metadata alone, and tables', async () => {
  const path = `${cluster.path('v1', 'configmaps')}?${select('tier=one')}`
  const meta = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }
  const partial = await cluster.call('GET', path, undefined, meta)
  assert.equal([partial.body.kind, partial.body.apiVersion], ['PartialObjectMetadataList', 'meta.k8s.io/v1'])
  assert.equal(found(partial.body), ['a', 'b'])
  const table = await cluster.call('GET', path, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })
  assert.equal([table.body.kind, table.body.apiVersion], ['Table', 'meta.k8s.io/v1'])
  assert.equal(
    table.body.rows.map((it: Loose) => [it.cells[0], it.cells[1], it.object.kind]),
    [
      ['a', 1, 'PartialObjectMetadata'],
      ['b', 1, 'PartialObjectMetadata'],
    ],
  )
  const [, data] = table.body.columnDefinitions
  assert.equal([data.name, data.type, data.priority], ['Data', 'string', 0])
})

test('our own client turns all pages', async () => {
  const what = { apiVersion: 'v1', kind: 'ConfigMap', namespace: cluster.namespace, labelSelector: 'page=yes' }
  const { items } = await cluster.kube.list(what)
  assert.equal(found({ items }), names)
  assert.is(items[0]!.kind, 'ConfigMap')
})
