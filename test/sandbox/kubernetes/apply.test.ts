import * as assert from 'uvu/assert'
import { createApi } from '../../../src/sandbox/kubernetes/api/api.ts'
import type { Loose, Obj } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { kind } from '../../../src/sandbox/kubernetes/objects/resources.ts'
import { Refused } from '../../../src/sandbox/kubernetes/objects/status.ts'
import { createStore } from '../../../src/sandbox/kubernetes/objects/store.ts'
import { suite } from '../../support/suite.ts'
import { deployment } from './world.ts'

const { test } = suite('server-side apply')
const of = kind('Deployment')

const fresh = () => {
  const store = createStore()
  const api = createApi(store)
  api.create(kind('Namespace'), undefined, { metadata: { name: 'default' } } as unknown as Obj, {
    manager: 'setup',
    internal: true,
  })
  const apply = (manager: string, body: Loose, force = false) =>
    api.apply(of, 'default', body.metadata.name, body, { manager, force })
  return { store, api, apply }
}
const base = () => deployment('web')
/** Configuration of one manager: only what it wants to say. */
const says = (spec: Loose, metadata: Loose = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...metadata },
  spec,
})
const env = (...variables: Loose[]) => says({ template: { spec: { containers: [{ name: 'main', env: variables }] } } })
const label = (labels: Loose) => says({ template: { metadata: { labels } } })
const owned = (obj: Obj, manager: string) => obj.metadata.managedFields?.find(it => it.manager === manager)?.fieldsV1
const refusal = (act: () => unknown): Loose => {
  try {
    act()
  } catch (error) {
    if (error instanceof Refused) return error.body
    throw error
  }
  throw new Error('nothing was refused')
}

test('a manager owns exactly what it applied', () => {
  const { apply, api } = fresh()
  api.create(of, 'default', base() as Obj, { manager: 'app' })
  const obj = apply('egress', env({ name: 'HTTPS_PROXY', value: 'http://p:3128' }))
  assert.equal(owned(obj, 'egress'), {
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"main"}': {
              '.': {},
              'f:name': {},
              'f:env': { 'k:{"name":"HTTPS_PROXY"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            },
          },
        },
      },
    },
  })
  assert.is(obj.spec.template.spec.containers[0].image, 'demo:1')
  assert.is(obj.metadata.generation, 2)
})

for (const { when, theirs, ours, causes } of [
  {
    when: 'another value',
    theirs: env({ name: 'A', value: '1' }),
    ours: env({ name: 'A', value: '2' }),
    causes: ['.spec.template.spec.containers[name="main"].env[name="A"].value'],
  },
  { when: 'the same value', theirs: env({ name: 'A', value: '1' }), ours: env({ name: 'A', value: '1' }), causes: [] },
  {
    when: 'another variable',
    theirs: env({ name: 'A', value: '1' }),
    ours: env({ name: 'B', value: '2' }),
    causes: [],
  },
  {
    when: 'another value of a label',
    theirs: label({ egress: 'x' }),
    ours: label({ egress: 'y' }),
    causes: ['.spec.template.metadata.labels.egress'],
  },
  {
    when: 'tolerations, which are one value',
    theirs: says({ template: { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } } }),
    ours: says({ template: { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } } }),
    causes: ['.spec.template.spec.tolerations'],
  },
  {
    when: 'two fields',
    theirs: says({ minReadySeconds: 1, paused: true }),
    ours: says({ minReadySeconds: 2, paused: false }),
    causes: ['.spec.minReadySeconds', '.spec.paused'],
  },
  { when: 'a field of an Update', theirs: null, ours: says({ replicas: 9 }), causes: ['.spec.replicas'] },
]) {
  test(`conflict: ${when}`, () => {
    const { apply, api, store } = fresh()
    api.create(of, 'default', base() as Obj, { manager: 'app' })
    if (theirs) apply('them', theirs)
    const before = store.version
    if (causes.length === 0) return void apply('us', ours)
    const refused = refusal(() => apply('us', ours))
    assert.is(refused.code, 409)
    assert.equal(
      refused.details.causes.map((it: Loose) => it.field),
      causes,
    )
    assert.ok(refused.details.causes.every((it: Loose) => it.reason === 'FieldManagerConflict'))
    assert.is(store.version, before, 'nothing was written')
    const forced = apply('us', ours, true)
    assert.ok(owned(forced, 'us'))
    if (theirs && causes.length === 2) assert.is(owned(forced, 'them'), undefined, 'who lost everything has no entry')
  })
}

for (const { when, first, second, expected } of [
  {
    when: 'a variable',
    first: env({ name: 'A', value: '1' }, { name: 'B', value: '2' }),
    second: env({ name: 'A', value: '1' }),
    expected: { env: [{ name: 'A', value: '1' }] },
  },
  { when: 'everything', first: env({ name: 'A', value: '1' }), second: says({}), expected: { env: undefined } },
  {
    when: 'the last label it added',
    first: label({ egress: 'external' }),
    second: says({}),
    expected: { labels: { app: 'web' } },
  },
]) {
  test(`giving up ${when} removes it and nothing else`, () => {
    const { apply, api } = fresh()
    const before = api.create(of, 'default', base() as Obj, { manager: 'app' })
    apply('us', first)
    const after = apply('us', second)
    const { containers } = after.spec.template.spec
    if ('env' in expected) assert.equal(containers[0].env, expected.env)
    if ('labels' in expected) assert.equal(after.spec.template.metadata.labels, expected.labels)
    assert.is(containers[0].image, 'demo:1')
    if (when !== 'a variable') assert.equal(after.spec, before.spec, 'as it was before we came')
  })
}

test('what another manager owns too stays when one gives it up', () => {
  const { apply, api } = fresh()
  api.create(of, 'default', base() as Obj, { manager: 'app' })
  apply('one', env({ name: 'A', value: '1' }))
  apply('two', env({ name: 'A', value: '1' }))
  const after = apply('one', says({}))
  assert.equal(after.spec.template.spec.containers[0].env, [{ name: 'A', value: '1' }])
  assert.is(apply('two', says({})).spec.template.spec.containers[0].env, undefined)
})

test('an update takes the fields it changes, and only those', () => {
  const { apply, api, store } = fresh()
  api.create(of, 'default', base() as Obj, { manager: 'app' })
  apply('us', env({ name: 'A', value: '1' }, { name: 'B', value: '1' }))
  const patch = { spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '9' }] }] } } } }
  const after = api.patch(of, 'default', 'web', 'strategic', patch, { manager: 'person' })
  const mine = JSON.stringify(owned(after, 'us'))
  assert.match(JSON.stringify(owned(after, 'person')), 'f:value')
  assert.is(mine.split('f:value').length - 1, 1, 'one value is left to us')
  assert.is(refusal(() => apply('us', env({ name: 'A', value: '1' }, { name: 'B', value: '1' }))).code, 409)
  assert.ok(store.get(of, 'default', 'web'))
})

test('applying the same again writes nothing', () => {
  const { apply, api, store } = fresh()
  api.create(of, 'default', base() as Obj, { manager: 'app' })
  const first = apply('us', env({ name: 'A', value: '1' }))
  const version = store.version
  assert.is(apply('us', env({ name: 'A', value: '1' })), first)
  assert.is(store.version, version)
})

test('apply creates what is not there', () => {
  const { apply } = fresh()
  const made = apply('us', base())
  assert.is(made.metadata.generation, 1)
  assert.is(made.spec.progressDeadlineSeconds, 600)
  assert.not.match(JSON.stringify(owned(made, 'us')), 'progressDeadline', 'defaults belong to nobody')
})

test('dry run answers what would be and keeps everything', () => {
  const { api, store } = fresh()
  api.create(of, 'default', base() as Obj, { manager: 'app' })
  const version = store.version
  const would = api.patch(of, 'default', 'web', 'merge', { spec: { replicas: 7 } }, { manager: 'x', dryRun: true })
  assert.is(would.spec.replicas, 7)
  assert.is(store.version, version)
  assert.is(api.get(of, 'default', 'web').spec.replicas, 2)
})
