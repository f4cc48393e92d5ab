import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: leases, preconditions, events')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
const lease = (spec: Loose, metadata: Loose = {}) => ({ metadata: { name: 'leader', ...metadata }, spec })
const held = { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' }

test('of two who take a lease at one version, one has it', async () => {
  const first = await world.call('POST', leases, lease(held))
  assert.is(first.code, 201)
  assert.is((await world.call('POST', leases, lease(held))).body.reason, 'AlreadyExists')
  const { resourceVersion } = first.body.metadata
  const both = await Promise.all(
    ['b', 'c'].map(holderIdentity =>
      world.call('PUT', `${leases}/leader`, lease({ ...held, holderIdentity }, { resourceVersion })),
    ),
  )
  assert.equal(both.map(it => it.code).sort(), [200, 409])
  const lost = both.find(it => it.code === 409)!
  assert.is(
    lost.body.message,
    'Operation cannot be fulfilled on leases.coordination.k8s.io "leader": the object has been modified; please apply your changes to the latest version and try again',
  )
  assert.is(lost.body.reason, 'Conflict')
})

for (const { spec, code, says } of [
  {
    spec: { ...held, renewTime: '2026-01-01T00:00:00.000Z' },
    code: 400,
    says: /cannot be handled as a Lease: parsing time/,
  },
  { spec: { ...held, leaseDurationSeconds: 0 }, code: 422, says: /leaseDurationSeconds: .*must be greater than 0/ },
]) {
  test(`a lease is refused: ${says}`, async () => {
    const answer = await world.call('PUT', `${leases}/leader`, lease(spec))
    assert.is(answer.code, code)
    assert.match(answer.body.message, says)
  })
}

test('every kind of write refuses an old version and another identity', async () => {
  const url = '/api/v1/namespaces/default/configmaps'
  const { metadata } = (await world.call('POST', url, { metadata: { name: 'a' }, data: { a: '1' } })).body
  await world.patch(`${url}/a`, 'merge-patch+json', { data: { a: '2' } })
  const { resourceVersion, uid } = metadata
  const old = { metadata: { name: 'a', resourceVersion }, data: { a: '3' } }
  const applied = { ...old, apiVersion: 'v1', kind: 'ConfigMap' }
  const answers = [
    await world.call('PUT', `${url}/a`, old),
    await world.patch(`${url}/a`, 'merge-patch+json', old),
    await world.patch(`${url}/a`, 'strategic-merge-patch+json', old),
    await world.patch(`${url}/a`, 'json-patch+json', [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'replace', path: '/data/a', value: '3' },
    ]),
    await world.apply(`${url}/a`, applied, 'tester', true),
    await world.call('DELETE', `${url}/a`, { preconditions: { resourceVersion } }),
  ]
  assert.equal(
    answers.map(it => it.code),
    [409, 409, 409, 409, 409, 409],
  )
  const other = '00000000-0000-4000-8000-000000000000'
  const gone = await world.call('DELETE', `${url}/a`, { preconditions: { uid: other } })
  assert.is(gone.code, 409)
  assert.is(
    gone.body.message,
    `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (${other}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
  )
  const put = await world.patch(`${url}/a`, 'merge-patch+json', { metadata: { uid: other } })
  assert.is(put.code, 409)
  assert.match(put.body.message, /Precondition failed: UID in precondition: 0000/)
  assert.is((await world.call('DELETE', `${url}/a`, { preconditions: { uid } })).code, 200)
})

test('the cluster is known by the uid of kube-system', async () => {
  const { body } = await world.call('GET', '/api/v1/namespaces/kube-system')
  assert.match(body.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  await world.restart()
  assert.is((await world.call('GET', '/api/v1/namespaces/kube-system')).body.metadata.uid, body.metadata.uid)
})

test('an event written in the new group is read in the old one, and the other way round', async () => {
  const about = { kind: 'Deployment', apiVersion: 'apps/v1', namespace: 'default', name: 'web', uid: '1' }
  const made = await world.call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'web.1' },
    regarding: about,
    note: 'moved',
    reason: 'Moved',
    action: 'Move',
    type: 'Normal',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'tests/x',
    reportingInstance: 'x-1',
  })
  assert.is(made.code, 201, JSON.stringify(made.body))
  assert.is(made.body.note, 'moved')
  assert.is(made.body.apiVersion, 'events.k8s.io/v1')
  const old = await world.call('GET', '/api/v1/namespaces/default/events/web.1')
  assert.equal(old.body.involvedObject, about)
  assert.is(old.body.message, 'moved')
  const elsewhere = { metadata: { name: 'web.2' }, involvedObject: { ...about, namespace: 'other' }, reason: 'X' }
  const refused = await world.call('POST', '/api/v1/namespaces/default/events', elsewhere)
  assert.is(refused.code, 422)
  assert.match(refused.body.message, /involvedObject.namespace: Invalid value: "other": does not match event.namespace/)
  const core = { ...elsewhere, involvedObject: about, message: 'old', type: 'Normal' }
  assert.is((await world.call('POST', '/api/v1/namespaces/default/events', core)).code, 201)
  const list = await world.call('GET', '/apis/events.k8s.io/v1/events?fieldSelector=metadata.name%3Dweb.2')
  assert.is(list.body.apiVersion, 'events.k8s.io/v1')
  assert.is(list.body.items[0].note, 'old')
})
