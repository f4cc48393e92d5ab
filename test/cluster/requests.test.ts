import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, map, pod, workload } from './objects.ts'

const { test, before, after } = suite('cluster: requests and their refusals')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('requests')
})
after(() => cluster?.close())

const maps = (name?: string) => cluster.path('v1', 'configmaps', name)
const refusal = (code: number, reason: string, message: string) => ({
  ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason },
  ...{ details: {}, code },
})

test('paths there are not', async () => {
  const text = 'the server could not find the requested resource'
  for (const path of ['/api/v1/frobs', '/apis/apps/v1/frobs', cluster.path('apps/v1', 'deployments', 'a/frob')]) {
    const { code, body } = await cluster.call('GET', path)
    assert.equal([code, body], [404, refusal(404, 'NotFound', text)])
  }
  for (const path of ['/nothing', '/apis/nothing.example/v1/things']) {
    const { code, body } = await cluster.call('GET', path)
    assert.equal([code, body], [404, '404 page not found\n'])
  }
})

test('methods there are not', async () => {
  const text = 'the server does not allow this method on the requested resource'
  for (const [method, path] of [
    ['PUT', maps()],
    ['PATCH', maps()],
    ['POST', maps('a')],
    ['OPTIONS', maps()],
  ] as const) {
    const { code, body } = await cluster.call(method, path, method === 'OPTIONS' ? undefined : {})
    assert.equal([code, body], [405, refusal(405, 'MethodNotAllowed', text)])
  }
  assert.is((await cluster.call('HEAD', maps())).code, 405)
})

for (const { when, body, says } of [
  {
    when: 'of another kind',
    body: { ...map('x'), kind: 'Secret', data: {} },
    says: 'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
  },
  {
    when: 'of another version',
    body: { ...map('x'), apiVersion: 'v2' },
    says: 'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2"',
  },
  { when: 'that is no JSON', body: 'x', says: "couldn't get version/kind; json parse error" },
  { when: 'that is empty', body: '', says: '' },
])
  test(`a body ${when} is 400`, async () => {
    const { code, body: answer } = await cluster.call('POST', maps(), body)
    assert.equal([code, answer.reason], [400, 'BadRequest'])
    assert.match(answer.message, says)
  })

test('a body may keep its kind to itself, and be YAML', async () => {
  const { kind: _k, apiVersion: _v, ...bare } = map('bare')
  const { code, body } = await cluster.call('POST', maps(), bare)
  assert.equal([code, body.kind, body.apiVersion], [201, 'ConfigMap', 'v1'])
  const yaml = await cluster.call('POST', maps(), 'metadata: {name: yaml}\ndata: {a: "1"}', {
    'content-type': 'application/yaml',
  })
  assert.equal([yaml.code, yaml.body.data], [201, { a: '1' }])
})

test('in a namespace there is not, nothing is made', async () => {
  const { code, body } = await cluster.call('POST', '/api/v1/namespaces/egress-test-never/configmaps', map('x'))
  assert.is(code, 404)
  assert.equal(body.message, 'namespaces "egress-test-never" not found')
  assert.equal(body.details, { name: 'egress-test-never', kind: 'namespaces' })
})

const withEnv = (env: Loose) => ({ containers: [{ name: 'main', image: 'x', env }] })
for (const { when, plural, body, field, reason, says } of [
  {
    when: 'a label that is none',
    plural: 'configmaps',
    body: map('bad', { metadata: { labels: { a: 'not ok!' } } }),
    field: 'metadata.labels',
    reason: 'FieldValueInvalid',
    says: `Invalid value: "not ok!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  },
  {
    when: 'a key of a label that is none',
    plural: 'configmaps',
    body: map('bad', { metadata: { labels: { '-a': 'b' } } }),
    field: 'metadata.labels',
    reason: 'FieldValueInvalid',
    says: `Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  },
  {
    when: 'a name that is none',
    plural: 'configmaps',
    body: map('Not_ok'),
    field: 'metadata.name',
    reason: 'FieldValueInvalid',
    says: `Invalid value: "Not_ok": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  },
  {
    when: 'a key of data that is none',
    plural: 'configmaps',
    body: map('bad', { data: { 'a/b': '1' } }),
    field: 'data[a/b]',
    reason: 'FieldValueInvalid',
    says: `Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  },
  {
    when: 'a selector that misses the template',
    plural: 'deployments',
    body: deployment('bad', { selector: { matchLabels: { app: 'other' } } }),
    field: 'spec.template.metadata.labels',
    reason: 'FieldValueInvalid',
    says: 'Invalid value: {"app":"bad"}: `selector` does not match template `labels`',
  },
  {
    when: 'no selector',
    plural: 'deployments',
    body: deployment('bad', { selector: undefined }),
    field: 'spec.selector',
    reason: 'FieldValueRequired',
    says: 'Required value',
  },
  {
    when: 'no containers',
    plural: 'deployments',
    body: deployment('bad', {}, { containers: [] }),
    field: 'spec.template.spec.containers',
    reason: 'FieldValueRequired',
    says: 'Required value',
  },
  {
    when: 'a number below nothing',
    plural: 'deployments',
    body: deployment('bad', { replicas: -1 }),
    field: 'spec.replicas',
    reason: 'FieldValueInvalid',
    says: 'Invalid value: -1: must be greater than or equal to 0',
  },
  {
    when: 'a container without an image',
    plural: 'pods',
    body: pod('bad', { containers: [{ name: 'main' }] }),
    field: 'spec.containers[0].image',
    reason: 'FieldValueRequired',
    says: 'Required value',
  },
  {
    when: 'a container without a name',
    plural: 'pods',
    body: pod('bad', { containers: [{ image: 'x' }] }),
    field: 'spec.containers[0].name',
    reason: 'FieldValueRequired',
    says: 'Required value',
  },
  {
    when: 'two containers of one name',
    plural: 'pods',
    body: pod('bad', {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'a', image: 'x' },
      ],
    }),
    field: 'spec.containers[1].name',
    reason: 'FieldValueDuplicate',
    says: 'Duplicate value: "a"',
  },
  {
    when: 'a variable without a name',
    plural: 'pods',
    body: pod('bad', withEnv([{ value: 'x' }])),
    field: 'spec.containers[0].env[0].name',
    reason: 'FieldValueRequired',
    says: 'Required value',
  },
  {
    when: 'a variable with two sources',
    plural: 'pods',
    body: pod('bad', withEnv([{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }])),
    field: 'spec.containers[0].env[0].valueFrom',
    reason: 'FieldValueInvalid',
    says: 'Invalid value: "": may not be specified when `value` is not empty',
  },
  {
    when: 'a mount of no volume',
    plural: 'pods',
    body: pod('bad', { containers: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }),
    field: 'spec.containers[0].volumeMounts[0].name',
    reason: 'FieldValueNotFound',
    says: 'Not found: "v"',
  },
  {
    when: 'a policy of restarts there is not',
    plural: 'pods',
    body: pod('bad', { restartPolicy: 'Sometimes' }),
    field: 'spec.restartPolicy',
    reason: 'FieldValueNotSupported',
    says: 'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  },
  {
    when: 'a template that ends, in a Deployment',
    plural: 'deployments',
    body: deployment('bad', {}, { restartPolicy: 'Never' }),
    field: 'spec.template.spec.restartPolicy',
    reason: 'FieldValueNotSupported',
    says: 'Unsupported value: "Never": supported values: "Always"',
  },
  {
    when: 'no surge and none unavailable',
    plural: 'deployments',
    body: deployment('bad', { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    field: 'spec.strategy.rollingUpdate.maxUnavailable',
    reason: 'FieldValueInvalid',
    says: 'Invalid value: 0: may not be 0 when `maxSurge` is 0',
  },
  {
    when: 'a rolling update of what is recreated',
    plural: 'deployments',
    body: deployment('bad', { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
    field: 'spec.strategy.rollingUpdate',
    reason: 'FieldValueForbidden',
    says: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
  },
  {
    when: 'an order of pods there is not',
    plural: 'statefulsets',
    body: workload('StatefulSet', 'bad', { podManagementPolicy: 'Random' }),
    field: 'spec.podManagementPolicy',
    reason: 'FieldValueInvalid',
    says: "Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
  },
] as { when: string; plural: string; body: Loose; field: string; reason: string; says: string }[])
  test(`invalid: ${when}`, async () => {
    const api = { deployments: 'apps/v1', statefulsets: 'apps/v1' }[plural] ?? 'v1'
    const { code, body: answer } = await cluster.call('POST', cluster.path(api, plural), body)
    assert.equal([code, answer.reason, answer.code], [422, 'Invalid', 422], JSON.stringify(answer))
    const cause = answer.details.causes.find((it: Loose) => it.field === field)
    assert.equal(cause, { reason, message: says, field }, JSON.stringify(answer.details.causes))
    assert.match(answer.message, `${field}: ${says}`)
    assert.equal(answer.details.kind, body.kind)
    assert.match(answer.message, ` "${body.metadata.name}" is invalid: `)
  })

test('several mistakes are told at once', async () => {
  const { body } = await cluster.call('POST', cluster.path('apps/v1', 'deployments'), {
    metadata: { name: 'bad' },
    spec: { replicas: -1 },
  })
  assert.match(
    body.message,
    /^Deployment\.apps "bad" is invalid: \[spec\.replicas: Invalid value: -1: .*, spec\.selector: Required value, .*\]$/,
  )
})

test('what may not change does not', async () => {
  const at = cluster.path('apps/v1', 'deployments', 'fixed')
  await cluster.make('apps/v1', 'deployments', deployment('fixed'))
  const change = await cluster.patch(at, 'merge', {
    spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } } } },
  })
  assert.is(change.code, 422)
  assert.equal(change.body.details.causes, [
    {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
      field: 'spec.selector',
    },
  ])
  await cluster.make('v1', 'pods', pod('fixed', { nodeSelector: { 'egress-test/never': 'yes' } }))
  const other = await cluster.patch(cluster.path('v1', 'pods', 'fixed'), 'strategic-merge', {
    spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] },
  })
  assert.is(other.code, 422)
  assert.match(
    other.body.message,
    'Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than',
  )
  assert.is(other.body.details.causes[0].reason, 'FieldValueForbidden')
  await cluster.make('v1', 'configmaps', { ...map('immutable'), immutable: true })
  const { code, body } = await cluster.patch(maps('immutable'), 'merge', { data: { a: '2' } })
  assert.is(code, 422)
  assert.match(body.message, 'data: Forbidden: field is immutable when `immutable` is set')
})
