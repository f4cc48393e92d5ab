import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { map } from './objects.ts'
import { watching } from './watching.ts'

const { test, before, after } = suite('cluster: watches')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('watch')
})
after(() => cluster?.close())

const at = (name?: string) => cluster.path('v1', 'configmaps', name)
const make = (name: string, labels: Loose = {}) => cluster.make('v1', 'configmaps', map(name, { metadata: { labels } }))
const change = (name: string, body: Loose) => cluster.patch(at(name), 'merge', body)
const version = async () => (await cluster.call('GET', at())).body.metadata.resourceVersion as string
const only = (label: string) => `labelSelector=${encodeURIComponent(label)}`

test('goes on after the version of a list: nothing is missed, nothing told twice', async () => {
  await make('first', { set: 'one' })
  const since = await version()
  await make('second', { set: 'one' })
  await change('first', { data: { a: '2' } })
  const it = await watching(cluster, at(), `resourceVersion=${since}&${only('set=one')}`)
  assert.is(it.code, 200)
  await cluster.call('DELETE', at('second'))
  assert.equal(await it.until(3), ['ADDED second', 'MODIFIED first', 'DELETED second'])
  const versions = it.events.map(its => Number(its.object.metadata.resourceVersion))
  assert.equal(
    versions,
    [...versions].sort((a, b) => a - b),
  )
  assert.equal([it.events[0]!.object.kind, it.events[0]!.object.apiVersion], ['ConfigMap', 'v1'])
  assert.is(it.events[2]!.object.data.a, '1', 'the last state of what is gone')
  await it.close()
})

test('without a version, and from 0, what is there comes first', async () => {
  await make('there', { set: 'two' })
  for (const query of ['', 'resourceVersion=0&', 'resourceVersion=&']) {
    const it = await watching(cluster, at(), query + only('set=two'))
    assert.equal(await it.until(1), ['ADDED there'])
    await it.close()
  }
})

test('with labels an object comes and goes as it begins and ceases to match', async () => {
  await make('moves')
  const it = await watching(cluster, at(), `resourceVersion=${await version()}&${only('egress=external')}`)
  await change('moves', { metadata: { labels: { egress: 'external' } } })
  await change('moves', { data: { a: '3' } })
  const last = await change('moves', { metadata: { labels: { egress: null } }, data: { a: '4' } })
  assert.equal(await it.until(3), ['ADDED moves', 'MODIFIED moves', 'DELETED moves'])
  const { object } = it.events[2]!
  assert.equal([object.data.a, object.metadata.labels.egress], ['3', 'external'], 'as it was when it matched last')
  assert.is(object.metadata.resourceVersion, last.body.metadata.resourceVersion, 'with the version of the change')
  await it.close()
})

test('a field names one object', async () => {
  await make('field')
  const it = await watching(cluster, at(), `resourceVersion=${await version()}&fieldSelector=metadata.name%3Dfield`)
  await make('field-not')
  await change('field', { data: { a: '2' } })
  assert.equal(await it.until(1), ['MODIFIED field'])
  await it.close()
})

test('one object may be watched by its name, too', async () => {
  await make('single')
  const it = await watching(cluster, at(), `resourceVersion=${await version()}&fieldSelector=metadata.name=single`)
  await cluster.call('DELETE', at('single'))
  assert.equal(await it.until(1), ['DELETED single'])
  await it.close()
})

test('the present ones end with a bookmark that says so', async () => {
  await make('initial', { set: 'three' })
  const query = `sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&${only('set=three')}`
  const it = await watching(cluster, at(), query)
  await it.until(2)
  assert.equal(
    it.events.map(its => its.type),
    ['ADDED', 'BOOKMARK'],
  )
  const { object } = it.events[1]!
  assert.equal([object.kind, object.apiVersion], ['ConfigMap', 'v1'])
  assert.equal(object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  assert.ok(Number(object.metadata.resourceVersion) > 0)
  await it.close()
})

for (const { when, query, says } of [
  {
    when: 'initial events need resourceVersionMatch',
    query: 'sendInitialEvents=true',
    says: 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  },
  {
    when: 'resourceVersionMatch is for lists',
    query: 'resourceVersionMatch=NotOlderThan',
    says: 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  },
  {
    when: 'sendInitialEvents is not for lists',
    query: 'watch=0&sendInitialEvents=true',
    says: 'sendInitialEvents is forbidden for list',
  },
])
  test(`refused: ${when}`, async () => {
    const path = query.startsWith('watch=0') ? `${at()}?${query}` : `${at()}?watch=1&${query}`
    const { code, body } = await cluster.call('GET', path)
    assert.equal([code, body.reason], [422, 'Invalid'])
    assert.match(body.message, says)
  })

test('a version that is no number is refused, and named', async () => {
  const { code, body } = await cluster.call('GET', `${at()}?watch=1&resourceVersion=abc`)
  assert.equal([code, body.reason], [500, undefined])
  assert.match(body.message, 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax')
})

test('a version that is forgotten is an ERROR with a Status of 410', async () => {
  const it = await watching(cluster, at(), 'resourceVersion=1&timeoutSeconds=5')
  assert.is(it.code, 200)
  await it.over
  // One that is some minutes old has nothing forgotten; the emulator forgets on its own.
  if (process.env.EGRESS_TEST_KUBECONFIG && it.events[0]?.type === 'ADDED')
    return console.log('skipped, 410: this cluster is too young to have forgotten its first version')
  assert.equal(
    it.events.map(its => its.type),
    ['ERROR'],
  )
  const { message, ...status } = it.events[0]!.object
  assert.equal(status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Expired',
    code: 410,
  })
  assert.match(message, /^too old resource version: 1 \(\d+\)$/)
})

test('ends after timeoutSeconds, in peace', async () => {
  const began = Date.now()
  const it = await watching(cluster, at(), `resourceVersion=${await version()}&timeoutSeconds=1`)
  await it.over
  assert.ok(Date.now() - began >= 900)
  assert.equal(it.events, [])
})

test('a watch of metadata, and one of tables', async () => {
  await make('shapes', { set: 'five' })
  const metadata = await watching(cluster, at(), only('set=five'), {
    accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  })
  await metadata.until(1)
  const { object } = metadata.events[0]!
  assert.equal([object.kind, object.apiVersion, object.data], ['PartialObjectMetadata', 'meta.k8s.io/v1', undefined])
  await metadata.close()
  const table = await watching(cluster, at(), only('set=five'), {
    accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
  })
  await table.until(1)
  await change('shapes', { data: { a: '2' } })
  await table.until(2)
  const [first, second] = table.events.map(its => its.object)
  assert.equal([first.kind, first.rows[0].cells[0]], ['Table', 'shapes'])
  assert.equal(
    first.columnDefinitions.map((its: Loose) => its.name),
    ['Name', 'Data', 'Age'],
  )
  assert.ok(!second.columnDefinitions?.length, 'columns are told once')
  await table.close()
})

test('our own client goes on where it was', async () => {
  const stop = new AbortController()
  const seen: string[] = []
  const what = { apiVersion: 'v1', kind: 'ConfigMap', namespace: cluster.namespace, labelSelector: 'set=ours' }
  const follow = async () => {
    for await (const event of cluster.kube.watch(what, { signal: stop.signal })) {
      seen.push(event.type === 'MISSED' ? 'MISSED' : `${event.type} ${(event.object as Loose).metadata.name}`)
      if (event.type === 'MISSED') void make('ours', { set: 'ours' })
      else if (event.type === 'ADDED') void cluster.call('DELETE', at('ours'))
      else stop.abort()
    }
  }
  await follow()
  assert.equal(seen, ['MISSED', 'ADDED ours', 'DELETED ours'])
})
