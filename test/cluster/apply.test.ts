import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, IMAGE, map } from './objects.ts'

const { test, before, after } = suite('cluster: server-side apply')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('apply')
})
after(() => cluster?.close())

const at = (name: string) => cluster.path('apps/v1', 'deployments', name)
const make = (name: string) => cluster.make('apps/v1', 'deployments', deployment(name))
const says = (spec: Loose, metadata: Loose = {}) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
const inMain = (of: Loose) => says({ template: { spec: { containers: [{ name: 'main', ...of }] } } })
const env = (...variables: [string, string][]) => inMain({ env: variables.map(([name, value]) => ({ name, value })) })
const label = (labels: Loose) => says({ template: { metadata: { labels } } })
const owned = (obj: Loose, manager: string, sub?: string) =>
  obj.metadata.managedFields?.find((it: Loose) => it.manager === manager && it.subresource === sub)
const container = (obj: Loose) => obj.spec.template.spec.containers[0]
const applied = async (name: string, body: Loose, manager: string, query = '') => {
  const { code, body: answer } = await cluster.apply(at(name), body, manager, query)
  assert.ok(code === 200 || code === 201, answer.message)
  return answer
}
const MAIN = '.spec.template.spec.containers[name="main"]'

test('what is not there is made, with 201, and owned as it was said', async () => {
  const { spec } = deployment('made')
  const { code, body } = await cluster.apply(at('made'), says(spec, { name: 'made' }), 'anna')
  assert.is(code, 201)
  const entry = owned(body, 'anna')
  assert.equal([entry.operation, entry.apiVersion, entry.fieldsType], ['Apply', 'apps/v1', 'FieldsV1'])
  assert.match(entry.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(entry.fieldsV1, {
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:template': {
        'f:metadata': { 'f:labels': { 'f:app': {} } },
        'f:spec': {
          'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:command': {} } },
          'f:terminationGracePeriodSeconds': {},
        },
      },
    },
  })
  assert.is(body.spec.progressDeadlineSeconds, 600, 'defaults are there, and nobody’s')
  assert.equal([body.metadata.generation, body.metadata.managedFields.length], [1, 1])
})

test('the same again changes nothing, and answers 200', async () => {
  const again = () => cluster.apply(cluster.path('v1', 'configmaps', 'same'), map('same'), 'anna')
  const first = await again()
  const second = await again()
  assert.equal([first.code, second.code], [201, 200])
  assert.is(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion)
})

test('one who creates owns what he sent, maps and all, and the defaults', async () => {
  const made = await make('update')
  const entry = owned(made, 'tester')
  assert.is(entry.operation, 'Update')
  const spec = entry.fieldsV1['f:spec']
  assert.equal(Object.keys(spec).sort(), [
    'f:progressDeadlineSeconds',
    'f:replicas',
    'f:revisionHistoryLimit',
    'f:selector',
    'f:strategy',
    'f:template',
  ])
  assert.equal(spec['f:strategy'], {
    'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} },
    'f:type': {},
  })
  assert.equal(spec['f:template']['f:metadata'], { 'f:labels': { '.': {}, 'f:app': {} } })
  assert.equal(spec['f:template']['f:spec']['f:containers']['k:{"name":"main"}'], {
    '.': {},
    'f:name': {},
    'f:image': {},
    'f:command': {},
    'f:imagePullPolicy': {},
    'f:resources': {},
    'f:terminationMessagePath': {},
    'f:terminationMessagePolicy': {},
  })
})

test('labels and annotations of the first: the map is owned with it, in an Update', async () => {
  await cluster.make('v1', 'configmaps', map('maps'))
  const maps = cluster.path('v1', 'configmaps', 'maps')
  const { body } = await cluster.patch(maps, 'merge', { metadata: { annotations: { a: '1' }, labels: { b: '2' } } })
  assert.equal(owned(body, 'tester').fieldsV1, {
    'f:data': { '.': {}, 'f:a': {} },
    'f:metadata': { 'f:annotations': { '.': {}, 'f:a': {} }, 'f:labels': { '.': {}, 'f:b': {} } },
  })
  const say = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { annotations: { c: '3' } } }
  const { body: both } = await cluster.apply(maps, say, 'anna')
  assert.equal(owned(both, 'anna').fieldsV1, { 'f:metadata': { 'f:annotations': { 'f:c': {} } } })
  const { body: third } = await cluster.patch(maps, 'merge', { metadata: { labels: { b: '3' } } }, '?fieldManager=bert')
  assert.equal(owned(third, 'bert').fieldsV1, { 'f:metadata': { 'f:labels': { 'f:b': {} } } }, 'not the map again')
  assert.equal(owned(third, 'tester').fieldsV1['f:metadata']['f:labels'], {}, 'the map itself is left')
})

for (const { when, theirs, ours, fields, manager = 'bert' } of [
  { when: 'another value', theirs: env(['A', '1']), ours: env(['A', '2']), fields: [`${MAIN}.env[name="A"].value`] },
  { when: 'the same value', theirs: env(['A', '1']), ours: env(['A', '1']), fields: [] },
  { when: 'another variable', theirs: env(['A', '1']), ours: env(['B', '1']), fields: [] },
  {
    when: 'a label',
    theirs: label({ egress: 'x' }),
    ours: label({ egress: 'y' }),
    fields: ['.spec.template.metadata.labels.egress'],
  },
  {
    when: 'tolerations, which are one value',
    theirs: says({ template: { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } } }),
    ours: says({ template: { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } } }),
    fields: ['.spec.template.spec.tolerations'],
  },
  {
    when: 'ports, known by number and protocol',
    theirs: inMain({ ports: [{ containerPort: 80, name: 'web' }] }),
    ours: inMain({ ports: [{ containerPort: 80, name: 'http' }] }),
    fields: [`${MAIN}.ports[containerPort=80,protocol="TCP"].name`],
  },
  {
    when: 'a command, which is one value',
    theirs: inMain({ args: ['a', 'b'] }),
    ours: inMain({ args: ['a', 'c'] }),
    fields: [`${MAIN}.args`],
  },
  {
    when: 'two fields',
    theirs: says({ minReadySeconds: 1, paused: true }),
    ours: says({ minReadySeconds: 2, paused: false }),
    fields: ['.spec.minReadySeconds', '.spec.paused'],
  },
  {
    when: 'a field of an update',
    theirs: null,
    ours: says({ replicas: 9 }),
    fields: ['.spec.replicas'],
    manager: 'tester',
  },
  {
    when: 'a default, which belongs to who created',
    theirs: null,
    ours: inMain({ imagePullPolicy: 'Always' }),
    fields: [`${MAIN}.imagePullPolicy`],
    manager: 'tester',
  },
])
  test(`conflict: ${when}`, async () => {
    const name = when.replace(/[^a-z]+/g, '-')
    await make(name)
    if (theirs) await applied(name, theirs, 'bert')
    const { code, body } = await cluster.apply(at(name), ours, 'anna')
    if (fields.length === 0) return assert.is(code, 200, body.message)
    assert.equal([code, body.reason, body.code], [409, 'Conflict', 409])
    const who = manager === 'bert' ? 'conflict with "bert"' : 'conflict with "tester" using apps/v1'
    assert.equal(
      body.details.causes,
      fields.map(field => ({ reason: 'FieldManagerConflict', message: who, field })),
    )
    const text =
      fields.length === 1
        ? `Apply failed with 1 conflict: ${who}: ${fields[0]}`
        : `Apply failed with 2 conflicts: ${who.replace('conflict', 'conflicts')}:\n${fields.map(it => `- ${it}`).join('\n')}`
    assert.is(body.message, text)
    const forced = await applied(name, ours, 'anna', '&force=true')
    assert.ok(owned(forced, 'anna'))
    if (fields.length === 2) assert.is(owned(forced, 'bert'), undefined, 'who lost everything is forgotten')
    assert.is((await cluster.apply(at(name), ours, 'anna')).code, 200)
  })

test('giving up takes away what one alone had said, and nothing else', async () => {
  const made = await make('give-up')
  await applied('give-up', env(['A', '1'], ['B', '1']), 'anna')
  const one = await applied('give-up', env(['A', '1']), 'anna')
  assert.equal(container(one).env, [{ name: 'A', value: '1' }])
  const none = await applied('give-up', says({}), 'anna')
  assert.equal(none.spec, made.spec)
  assert.equal(owned(none, 'anna').fieldsV1, { 'f:spec': {} }, 'a spec was said, if an empty one')
  const nothing = await applied('give-up', { ...says({}), spec: undefined }, 'anna')
  assert.is(owned(nothing, 'anna'), undefined, 'who owns nothing is forgotten')
})

test('giving up a value that was forced does not bring the old one back', async () => {
  await make('forced')
  await applied('forced', says({ replicas: 0, minReadySeconds: 3 }), 'bert', '&force=true')
  await applied('forced', says({ minReadySeconds: 5 }), 'anna', '&force=true')
  const after = await applied('forced', says({}), 'anna')
  assert.is(after.spec.minReadySeconds, undefined)
})

test('giving up a field with a default brings the default', async () => {
  await applied(
    'defaulted',
    says({ ...deployment('defaulted').spec, revisionHistoryLimit: 3 }, { name: 'defaulted' }),
    'anna',
  )
  const after = await applied('defaulted', says(deployment('defaulted').spec), 'anna')
  assert.is(after.spec.revisionHistoryLimit, 10)
})

test('what another owns too stays', async () => {
  await make('shared')
  await applied('shared', env(['A', '1']), 'anna')
  await applied('shared', env(['A', '1']), 'bert')
  const after = await applied('shared', says({}), 'anna')
  assert.equal(container(after).env, [{ name: 'A', value: '1' }])
  assert.is(container(await applied('shared', says({}), 'bert')).env, undefined)
})

test('giving up a container goes, one that others have a part in stays', async () => {
  await make('containers')
  const side = { name: 'side', image: IMAGE }
  await applied('containers', says({ template: { spec: { containers: [side] } } }), 'anna')
  await applied(
    'containers',
    says({ template: { spec: { containers: [{ name: 'side', workingDir: '/x' }] } } }),
    'bert',
  )
  const { code, body } = await cluster.apply(at('containers'), says({}), 'anna')
  assert.equal([code, body.reason], [422, 'Invalid'], 'bert’s part has no image')
  assert.match(body.message, 'spec.template.spec.containers[1].image: Required value')
  await applied('containers', says({}), 'bert')
  const after = await applied('containers', says({}), 'anna')
  assert.is(after.spec.template.spec.containers.length, 1)
})

test('an update takes fields from who applied them, and those only', async () => {
  await make('taken')
  await applied('taken', env(['A', '1'], ['B', '1']), 'anna')
  const change = await cluster.patch(at('taken'), 'strategic-merge', env(['A', '9']))
  const of = (manager: string) =>
    owned(change.body, manager).fieldsV1['f:spec']['f:template']['f:spec']['f:containers']['k:{"name":"main"}']['f:env']
  assert.equal(of('tester'), { 'k:{"name":"A"}': { 'f:value': {} } })
  assert.equal(of('anna'), {
    'k:{"name":"A"}': { '.': {}, 'f:name': {} },
    'k:{"name":"B"}': { '.': {}, 'f:name': {}, 'f:value': {} },
  })
  assert.is((await cluster.apply(at('taken'), env(['A', '1'], ['B', '1']), 'anna')).code, 409)
})

test('a merge patch of a list owns it anew', async () => {
  await make('merged')
  const { body } = await cluster.patch(at('merged'), 'merge', {
    spec: { template: { spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } } },
  })
  assert.equal(owned(body, 'tester').fieldsV1['f:spec']['f:template']['f:spec']['f:tolerations'], {})
})

test('the status has owners of its own', async () => {
  await cluster.make('v1', 'services', {
    metadata: { name: 'sub' },
    spec: { ports: [{ port: 80 }], clusterIP: 'None' },
  })
  const status = { apiVersion: 'v1', kind: 'Service', status: { conditions: [condition] } }
  const { code, body } = await cluster.apply(`${cluster.path('v1', 'services', 'sub')}/status`, status, 'anna')
  assert.is(code, 200, body.message)
  const entry = owned(body, 'anna', 'status')
  assert.equal(Object.keys(entry.fieldsV1), ['f:status'])
  assert.ok(entry.fieldsV1['f:status']['f:conditions']['k:{"type":"Checked"}'])
})
const condition = {
  type: 'Checked',
  status: 'True',
  reason: 'Tested',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}

test('the number of replicas may be taken by the scale', async () => {
  await make('scaled')
  const { code } = await cluster.patch(
    `${at('scaled')}/scale`,
    'merge',
    { spec: { replicas: 1 } },
    '?fieldManager=scaler',
  )
  assert.is(code, 200)
  const { body } = await cluster.call('GET', at('scaled'))
  assert.is(body.spec.replicas, 1)
  const entry = owned(body, 'scaler', 'scale')
  assert.equal([entry.operation, entry.fieldsV1], ['Update', { 'f:spec': { 'f:replicas': {} } }])
  const { code: conflict, body: said } = await cluster.apply(at('scaled'), says({ replicas: 0 }), 'anna')
  assert.is(conflict, 409)
  assert.is(
    said.message,
    'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
  )
  await cluster.patch(`${at('scaled')}/scale`, 'merge', { spec: { replicas: 0 } }, '?fieldManager=scaler')
})

test('sets: finalizers have an owner each', async () => {
  const maps = cluster.path('v1', 'configmaps', 'set')
  const say = (...finalizers: string[]) => ({ ...map('set'), metadata: { name: 'set', finalizers }, data: undefined })
  await cluster.apply(maps, say('example.com/a'), 'anna')
  const both = await cluster.apply(maps, say('example.com/b'), 'bert')
  assert.equal(both.body.metadata.finalizers, ['example.com/a', 'example.com/b'])
  assert.equal(owned(both.body, 'bert').fieldsV1, { 'f:metadata': { 'f:finalizers': { 'v:"example.com/b"': {} } } })
  const one = await cluster.apply(maps, say(), 'anna')
  assert.equal(one.body.metadata.finalizers, ['example.com/b'])
  await cluster.apply(maps, say(), 'bert')
})

for (const { when, query, body, code, says: text } of [
  {
    when: 'nobody',
    query: '',
    body: {},
    code: 422,
    says: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  },
  {
    when: 'with managed fields',
    query: 'fieldManager=anna',
    body: { metadata: { managedFields: [{ manager: 'x', operation: 'Apply' }] } },
    code: 400,
    says: 'metadata.managedFields must be nil',
  },
  {
    when: 'under another name',
    query: 'fieldManager=anna',
    body: { metadata: { name: 'other' } },
    code: 400,
    says: 'the name of the object (other) does not match the name on the URL (refused)',
  },
  {
    when: 'of another kind',
    query: 'fieldManager=anna',
    body: { kind: 'StatefulSet' },
    code: 400,
    says: 'invalid object type: apps/v1, Kind=StatefulSet',
  },
])
  test(`refused: ${when}`, async () => {
    if ((await cluster.call('GET', at('refused'))).code === 404) await make('refused')
    const sent = { ...says({}), ...body }
    const { code: is, body: answer } = await cluster.call('PATCH', `${at('refused')}?${query}`, sent, {
      'content-type': 'application/apply-patch+yaml',
    })
    assert.match(answer.message, text)
    assert.is(is, code)
  })

test('YAML is what it says, JSON is YAML', async () => {
  const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: yaml, labels: { from: yaml } }\ndata:\n  a: "1"\n`
  const { code, body } = await cluster.call(
    'PATCH',
    `${cluster.path('v1', 'configmaps', 'yaml')}?fieldManager=anna`,
    yaml,
    {
      'content-type': 'application/apply-patch+yaml',
    },
  )
  assert.equal([code, body.metadata.labels], [201, { from: 'yaml' }])
})

test('a dry run of an apply says its conflicts, and what would be', async () => {
  await make('dry')
  const before = await cluster.call('GET', at('dry'))
  const would = await applied('dry', says({ minReadySeconds: 7 }), 'anna', '&dryRun=All')
  assert.is(would.spec.minReadySeconds, 7)
  assert.ok(owned(would, 'anna'))
  assert.is((await cluster.apply(at('dry'), says({ replicas: 7 }), 'anna', '&dryRun=All')).code, 409)
  const { spec } = (await cluster.call('GET', at('dry'))).body
  assert.equal(spec, before.body.spec)
})

test('with a version, apply is meant for that one', async () => {
  const { metadata } = await make('meant')
  await cluster.patch(at('meant'), 'merge', { metadata: { annotations: { a: '1' } } })
  const stale = says({ minReadySeconds: 1 }, { resourceVersion: metadata.resourceVersion })
  assert.is((await cluster.apply(at('meant'), stale, 'anna')).code, 409)
  const uid = await cluster.apply(at('meant'), says({}, { uid: 'another' }), 'anna')
  assert.equal([uid.code, uid.body.reason], [422, 'Invalid'])
  assert.match(uid.body.message, 'metadata.uid: Invalid value: "another": field is immutable')
  const never = await cluster.apply(at('never'), says({}, { name: 'never', uid: 'another' }), 'anna')
  assert.equal([never.code, never.body.reason], [409, 'Conflict'])
  assert.match(
    never.body.message,
    'uid mismatch: the provided object specified uid another, and no existing object was found',
  )
})

test('what is made by an apply says its name', async () => {
  const { code, body } = await cluster.apply(at('unnamed'), says(deployment('unnamed').spec), 'anna')
  assert.is(code, 400)
  assert.is(body.message, 'the name of the object (unnamed based on URL) was undeterminable: name must be provided')
})
