import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { map } from './objects.ts'

const { test, before, after } = suite('cluster: optimistic concurrency')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('writes')
})
after(() => cluster?.close())

const at = (name?: string) => cluster.path('v1', 'configmaps', name)
const make = (name: string, more = {}) => cluster.make('v1', 'configmaps', map(name, more))
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

test('a body with a stale version is refused, in a put as in each patch', async () => {
  const old = await make('stale')
  const { resourceVersion } = old.metadata
  assert.is((await cluster.patch(at('stale'), 'merge', { data: { a: '2' } })).code, 200)
  const stale = { metadata: { resourceVersion }, data: { a: '3' } }
  for (const { code, body } of [
    await cluster.call('PUT', at('stale'), old),
    await cluster.patch(at('stale'), 'merge', stale),
    await cluster.patch(at('stale'), 'strategic-merge', stale),
    await cluster.apply(at('stale'), { apiVersion: 'v1', kind: 'ConfigMap', ...stale }, 'anna', '&force=true'),
    await cluster.patch(at('stale'), 'json', [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ]),
  ]) {
    assert.equal([code, body.kind, body.status, body.reason], [409, 'Status', 'Failure', 'Conflict'])
    assert.is(body.message, `Operation cannot be fulfilled on configmaps "stale": ${MODIFIED}`)
    assert.equal(body.details, { name: 'stale', kind: 'configmaps' })
    assert.is(body.code, 409)
  }
})

test('a put without a version overwrites, one of a version that is current too', async () => {
  const first = await make('put')
  const { resourceVersion: _v, ...metadata } = first.metadata
  const second = await cluster.call('PUT', at('put'), { ...first, metadata, data: { a: '2' } })
  assert.equal([second.code, second.body.data], [200, { a: '2' }])
  assert.is((await cluster.call('PUT', at('put'), { ...second.body, data: { a: '3' } })).code, 200)
})

test('a write that changes nothing keeps the version', async () => {
  const { metadata } = await make('same')
  const put = await cluster.patch(at('same'), 'merge', { data: { a: '1' } })
  assert.equal([put.code, put.body.metadata.resourceVersion], [200, metadata.resourceVersion])
})

test('a put of another uid, name or namespace is refused', async () => {
  const { metadata, ...rest } = await make('other')
  const { resourceVersion: _v, ...meta } = metadata
  const put = (more: object) => cluster.call('PUT', at('other'), { ...rest, metadata: { ...meta, ...more } })
  const uid = await put({ uid: 'another' })
  assert.is(uid.code, 409)
  assert.match(uid.body.message, 'Precondition failed: UID in precondition: another, UID in object meta: ')
  const name = await put({ name: 'another' })
  assert.is(name.code, 400)
  assert.is(name.body.message, 'the name of the object (another) does not match the name on the URL (other)')
  const namespace = await put({ namespace: 'default' })
  assert.is(namespace.code, 400)
  assert.is(
    namespace.body.message,
    'the namespace of the provided object does not match the namespace sent on the request',
  )
})

test('a put to what is not there is 404; so are a patch and a deletion', async () => {
  for (const { code, body } of [
    await cluster.call('PUT', at('never'), map('never')),
    await cluster.patch(at('never'), 'merge', { data: {} }),
    await cluster.call('DELETE', at('never')),
    await cluster.call('GET', at('never')),
  ]) {
    assert.equal(body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "never" not found',
      reason: 'NotFound',
      details: { name: 'never', kind: 'configmaps' },
      code: 404,
    })
    assert.is(code, 404)
  }
})

test('what is there already is not made again', async () => {
  await make('twice')
  const { code, body } = await cluster.call('POST', at(), map('twice'))
  assert.equal([code, body.reason, body.message], [409, 'AlreadyExists', 'configmaps "twice" already exists'])
  assert.equal(body.details, { name: 'twice', kind: 'configmaps' })
})

test('a name that is made up is told, and never one that is there', async () => {
  const { code, body } = await cluster.call('POST', at(), { metadata: { generateName: 'made-' } })
  assert.is(code, 201)
  assert.match(body.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  assert.is(body.metadata.generateName, 'made-')
  const { body: refused } = await cluster.call('POST', at(), { metadata: {} })
  assert.equal([refused.code, refused.reason], [422, 'Invalid'])
  assert.match(refused.message, 'metadata.name: Required value: name or generateName is required')
})

test('a version in what is to be made is refused', async () => {
  const { code, body } = await cluster.call('POST', at(), map('versioned', { metadata: { resourceVersion: '7' } }))
  assert.equal([code, body.message], [500, 'resourceVersion should not be set on objects to be created'])
})

test('identity and times are the server’s', async () => {
  const made = await make('mine', {
    metadata: { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 7, selfLink: '/x' },
  })
  assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/)
  assert.not.match(made.metadata.creationTimestamp, /^2001/)
  assert.equal([made.metadata.generation, made.metadata.selfLink], [7, undefined], 'nobody counts those of a ConfigMap')
})

for (const [what, named] of [
  ['uid', 'UID'],
  ['resourceVersion', 'ResourceVersion'],
] as const)
  test(`a deletion is meant for one ${what}`, async () => {
    const name = `meant-${what.toLowerCase()}`
    const { metadata } = await make(name)
    const remove = (value: string) => cluster.call('DELETE', at(name), { preconditions: { [what]: value } })
    const { code, body } = await remove('7')
    assert.equal([code, body.reason], [409, 'Conflict'])
    const since = what === 'uid' ? 'deleted and then recreated' : 'modified'
    assert.is(
      body.message,
      `Operation cannot be fulfilled on ConfigMap "${name}": the ${named} in the precondition (7) does not match the ${named} in record (${metadata[what]}). The object might have been ${since}`,
    )
    assert.equal(body.details, { name, kind: 'ConfigMap' })
    const gone = await remove(metadata[what])
    assert.is(gone.code, 200)
    assert.equal(gone.body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name, kind: 'configmaps', uid: metadata.uid },
    })
  })

test('of twenty who count at once, each number is counted', async () => {
  await make('counter', { data: { n: '0' } })
  const count = async () => {
    for (let tries = 0; tries < 200; tries++) {
      const { body } = await cluster.call('GET', at('counter'))
      const put = await cluster.call('PUT', at('counter'), { ...body, data: { n: String(Number(body.data.n) + 1) } })
      if (put.code === 200) return
      assert.is(put.code, 409, put.body.message)
    }
    assert.unreachable('200 tries were not enough')
  }
  await Promise.all(Array.from({ length: 20 }, count))
  assert.is((await cluster.call('GET', at('counter'))).body.data.n, '20')
})

test('a dry run answers what would be, and nothing is', async () => {
  const made = await cluster.call('POST', `${at()}?dryRun=All`, map('dry'))
  assert.equal([made.code, made.body.metadata.name], [201, 'dry'])
  assert.match(made.body.metadata.uid, /^[0-9a-f-]{36}$/)
  assert.is(made.body.metadata.resourceVersion, undefined)
  assert.is((await cluster.call('GET', at('dry'))).code, 404)
  const { metadata } = await make('dry')
  const patched = await cluster.patch(at('dry'), 'merge', { data: { a: '2' } }, '?dryRun=All')
  assert.equal([patched.body.data.a, patched.body.metadata.resourceVersion], ['2', metadata.resourceVersion])
  const removed = await cluster.call('DELETE', `${at('dry')}?dryRun=All`)
  assert.is(removed.code, 200)
  assert.is((await cluster.call('GET', at('dry'))).body.data.a, '1')
  const { code, body } = await cluster.call('DELETE', `${at('dry')}?dryRun=Some`)
  assert.equal([code, body.reason], [422, 'Invalid'])
})
