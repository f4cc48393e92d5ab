import * as assert from 'uvu/assert'
import { createApi } from '../../../src/sandbox/kubernetes/api/api.ts'
import { createCollector } from '../../../src/sandbox/kubernetes/controllers/collect.ts'
import type { Loose, Obj } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { kind } from '../../../src/sandbox/kubernetes/objects/resources.ts'
import type { Refused } from '../../../src/sandbox/kubernetes/objects/status.ts'
import { createStore } from '../../../src/sandbox/kubernetes/objects/store.ts'
import { suite } from '../../support/suite.ts'
import { deployment } from './world.ts'

const { test } = suite('rules of the emulated API')
const who = { manager: 'tester' }
const map = kind('ConfigMap')

const fresh = () => {
  const store = createStore()
  const api = createApi(store)
  const collector = createCollector(store, api)
  store.listen(collector.happened)
  for (const name of ['default', 'other']) api.create(kind('Namespace'), undefined, { metadata: { name } } as Obj, who)
  const make = (name: string, metadata: Loose = {}, namespace = 'default') =>
    api.create(map, namespace, { metadata: { ...metadata, name }, data: { a: '1' } } as unknown as Obj, who)
  const names = (namespace = 'default') => store.sorted(map, namespace).map(it => it.metadata.name)
  return { store, api, collector, make, names }
}
const code = (expected: number) => (error: Refused) => error.code === expected
const ownedBy = (...owners: Obj[]) => ({
  ownerReferences: owners.map(({ apiVersion, kind, metadata: { name, uid } }) => ({ apiVersion, kind, name, uid })),
})

test('a write with an old version is refused, one without a version is not', () => {
  const { api, make } = fresh()
  const old = make('a')
  api.patch(map, 'default', 'a', 'merge', { data: { a: '2' } }, who)
  assert.throws(() => api.update(map, 'default', 'a', old, who), code(409))
  assert.throws(
    () => api.patch(map, 'default', 'a', 'merge', { metadata: { resourceVersion: old.metadata.resourceVersion } }, who),
    code(409),
  )
  const { resourceVersion: _v, ...metadata } = old.metadata
  assert.is(api.update(map, 'default', 'a', { ...old, metadata } as Obj, who).data.a, '1')
})

test('writing what is there already writes nothing', () => {
  const { api, make, store } = fresh()
  const first = make('a')
  const { version } = store
  assert.is(api.patch(map, 'default', 'a', 'merge', { data: { a: '1' } }, who), first)
  assert.is(api.update(map, 'default', 'a', first, { manager: 'someone-else' }), first)
  assert.is(store.version, version)
})

test('the generation counts changes of the spec, the status has its own door', () => {
  const { api } = fresh()
  const of = kind('Deployment')
  api.create(of, 'default', { ...deployment('web'), status: { replicas: 9 } } as Obj, who)
  assert.is(api.get(of, 'default', 'web').status, undefined)
  const labelled = api.patch(
    of,
    'default',
    'web',
    'merge',
    { metadata: { labels: { a: 'b' } }, status: { replicas: 9 } },
    who,
  )
  assert.is(labelled.metadata.generation, 1)
  assert.is(labelled.status, undefined)
  const observed = api.patch(
    of,
    'default',
    'web',
    'merge',
    { spec: { replicas: 9 }, status: { replicas: 2 } },
    who,
    'status',
  )
  assert.is(observed.status.replicas, 2)
  assert.is(observed.spec.replicas, 2)
  assert.is(api.patch(of, 'default', 'web', 'merge', { spec: { replicas: 3 } }, who).metadata.generation, 2)
})

for (const { when, change, field } of [
  {
    when: 'the selector of a Deployment',
    change: { spec: { selector: { matchLabels: { app: 'x' } } } },
    field: 'spec.selector',
  },
  {
    when: 'a selector that misses the template',
    change: { spec: { template: { metadata: { labels: { app: 'x' } } } } },
    field: 'spec.template.metadata.labels',
  },
  {
    when: 'no containers',
    change: { spec: { template: { spec: { containers: [] } } } },
    field: 'spec.template.spec.containers',
  },
  { when: 'a label that is none', change: { metadata: { labels: { a: 'not ok!' } } }, field: 'metadata.labels' },
]) {
  test(`invalid: ${when}`, () => {
    const { api } = fresh()
    api.create(kind('Deployment'), 'default', deployment('web') as Obj, who)
    const act = () => api.patch(kind('Deployment'), 'default', 'web', 'merge', change, who)
    assert.throws(
      act,
      (error: Refused) => error.code === 422 && error.body.details.causes.some((it: Loose) => it.field === field),
    )
  })
}

for (const { policy, expected } of [
  { policy: 'Background', expected: ['free', 'shared'] },
  { policy: 'Foreground', expected: ['free', 'shared'] },
  { policy: 'Orphan', expected: ['child', 'free', 'grandchild', 'shared'] },
]) {
  test(`delete an owner: ${policy}`, () => {
    const { api, collector, make, names } = fresh()
    const owner = make('owner')
    const child = make('child', ownedBy(owner))
    make('grandchild', ownedBy(child))
    make('shared', ownedBy(owner, make('free')))
    collector.settle()
    api.remove(map, 'default', 'owner', { propagationPolicy: policy })
    collector.settle()
    assert.equal(names(), expected)
    assert.is(api.get(map, 'default', 'shared').metadata.ownerReferences?.length, 1)
  })
}

test('an owner that does not exist takes its dependents along', () => {
  const { collector, make, names } = fresh()
  make('child', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'none' }] })
  collector.settle()
  assert.equal(names(), [])
})

test('a finalizer holds an object until it is taken away', () => {
  const { api, make, names } = fresh()
  make('held', { finalizers: ['example.com/hold'] })
  assert.is(api.remove(map, 'default', 'held').gone, false)
  assert.ok(api.get(map, 'default', 'held').metadata.deletionTimestamp)
  api.patch(map, 'default', 'held', 'merge', { metadata: { finalizers: null } }, who)
  assert.equal(names(), [])
})

test('a namespace takes its content along, and takes in no more', () => {
  const { api, collector, make, names, store } = fresh()
  make('a', {}, 'other')
  make('held', { finalizers: ['example.com/hold'] }, 'other')
  api.remove(kind('Namespace'), undefined, 'other')
  assert.throws(() => make('late', {}, 'other'), code(403))
  collector.settle()
  assert.equal(names('other'), ['held'])
  api.patch(map, 'other', 'held', 'merge', { metadata: { finalizers: null } }, who)
  collector.settle()
  assert.is(store.get(kind('Namespace'), undefined, 'other'), undefined)
  assert.throws(() => make('later', {}, 'other'), code(404))
  assert.throws(() => api.remove(kind('Namespace'), undefined, 'kube-system'), code(404))
})

test('deleting another object by the same name is refused', () => {
  const { api, make } = fresh()
  make('a')
  assert.throws(() => api.remove(map, 'default', 'a', { preconditions: { uid: 'another' } }), code(409))
})

test('a saved store is the same after, and its versions go on', () => {
  const { store, make } = fresh()
  make('a')
  const again = createStore({ saved: JSON.parse(JSON.stringify(store.state())) })
  assert.equal(again.sorted(map), store.sorted(map))
  assert.ok(again.version > store.version)
})
