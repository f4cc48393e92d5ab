import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { map } from './objects.ts'

const { test, before, after } = suite('cluster: leases and events')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('leases')
})
after(() => cluster?.close())

const LEASE = 'coordination.k8s.io/v1'
const lease = (name: string, spec: Loose) => ({ apiVersion: LEASE, kind: 'Lease', metadata: { name }, spec })

test('a Lease keeps its times to the microsecond', async () => {
  const times = { acquireTime: '2026-01-01T00:00:00.123456Z', renewTime: '2026-01-01T00:00:00.000000Z' }
  const made = await cluster.make(
    LEASE,
    'leases',
    lease('times', { ...times, holderIdentity: 'anna', leaseDurationSeconds: 15 }),
  )
  assert.equal(made.spec, { ...times, holderIdentity: 'anna', leaseDurationSeconds: 15 })
  assert.is(made.metadata.generation, undefined)
})

test('a Lease of milliseconds is refused', async () => {
  const { code, body } = await cluster.call(
    'POST',
    cluster.path(LEASE, 'leases'),
    lease('ms', { renewTime: '2026-01-01T00:00:00.123Z' }),
  )
  assert.equal([code, body.reason], [400, 'BadRequest'])
  assert.match(
    body.message,
    'Lease in version "v1" cannot be handled as a Lease: parsing time "2026-01-01T00:00:00.123Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse',
  )
})

test('a Lease says who, for how long, and how often', async () => {
  for (const [spec, field] of [
    [{ leaseDurationSeconds: 0 }, 'spec.leaseDurationSeconds'],
    [{ leaseTransitions: -1 }, 'spec.leaseTransitions'],
  ] as const) {
    const { code, body } = await cluster.call('POST', cluster.path(LEASE, 'leases'), lease('bad', spec))
    assert.equal([code, body.details?.causes[0].field], [422, field], JSON.stringify(body))
  }
})

test('of two who take a Lease at once one has it', async () => {
  const { metadata } = await cluster.make(LEASE, 'leases', lease('race', { holderIdentity: 'nobody' }))
  const at = cluster.path(LEASE, 'leases', 'race')
  const { resourceVersion } = metadata
  const take = (who: string) =>
    cluster.patch(at, 'merge', { metadata: { resourceVersion }, spec: { holderIdentity: who } })
  const codes = (await Promise.all(['a', 'b', 'c'].map(take))).map(it => it.code)
  assert.equal(codes.sort(), [200, 409, 409])
})

const event = (more: Loose): Loose => ({
  metadata: { name: more.name ?? 'e', namespace: cluster.namespace },
  ...{ type: 'Normal', reason: 'Moved', message: 'it moved' },
  involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'it', namespace: cluster.namespace },
  source: { component: 'tester' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:00:00Z',
  count: 1,
  ...more,
  name: undefined,
})

test('an Event of the core is one of events.k8s.io, too', async () => {
  await cluster.make('v1', 'configmaps', map('it'))
  await cluster.make('v1', 'events', event({ name: 'old' }))
  const { code, body } = await cluster.call('GET', cluster.path('events.k8s.io/v1', 'events', 'old'))
  assert.equal([code, body.kind, body.apiVersion], [200, 'Event', 'events.k8s.io/v1'])
  assert.equal(
    [body.note, body.regarding.name, body.deprecatedSource, body.deprecatedCount],
    ['it moved', 'it', { component: 'tester' }, 1],
  )
})

test('a new Event is seen through the core', async () => {
  await cluster.make('events.k8s.io/v1', 'events', {
    metadata: { name: 'new' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    ...{ type: 'Warning', reason: 'Failed', action: 'Try', note: 'it failed' },
    ...{ reportingController: 'example.com/tester', reportingInstance: 'tester-1' },
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', name: 'it', namespace: cluster.namespace },
  })
  const { body } = await cluster.call('GET', cluster.path('v1', 'events', 'new'))
  assert.equal(
    [body.message, body.involvedObject.name, body.reportingComponent, body.eventTime],
    ['it failed', 'it', 'example.com/tester', '2026-01-01T00:00:00.000000Z'],
  )
  const of = (fields: string) =>
    cluster.call('GET', `${cluster.path('v1', 'events')}?fieldSelector=${encodeURIComponent(fields)}`)
  const found = await of('involvedObject.name=it,reason=Failed')
  assert.equal(
    found.body.items.map((it: Loose) => it.metadata.name),
    ['new'],
  )
})

test('an Event elsewhere than what it is about is refused', async () => {
  const about = { apiVersion: 'v1', kind: 'ConfigMap', name: 'it', namespace: 'default' }
  const { code, body } = await cluster.call(
    'POST',
    cluster.path('v1', 'events'),
    event({ name: 'elsewhere', involvedObject: about }),
  )
  assert.equal([code, body.details?.causes[0].field], [422, 'involvedObject.namespace'], body.message)
})

test('a new Event says who tells it', async () => {
  const { code, body } = await cluster.call('POST', cluster.path('events.k8s.io/v1', 'events'), {
    metadata: { name: 'short' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', name: 'it', namespace: cluster.namespace },
  })
  assert.is(code, 422)
  assert.equal([...new Set(body.details.causes.map((it: Loose) => it.field))].sort(), [
    'action',
    'reason',
    'reportingController',
    'reportingInstance',
    'type',
  ])
})
