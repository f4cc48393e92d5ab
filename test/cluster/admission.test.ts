import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { map, pod } from './objects.ts'

const { test, before, after } = suite('cluster: quotas, budgets and other admission')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('admission')
})
after(() => cluster?.close())

const nowhere = { nodeSelector: { 'egress-test/never': 'yes' } }
const API = 'admissionregistration.k8s.io/v1'

test('a quota is counted, and held', async () => {
  const path = cluster.path('v1', 'resourcequotas', 'few')
  await cluster.make('v1', 'resourcequotas', {
    metadata: { name: 'few' },
    spec: { hard: { pods: '1', 'requests.cpu': '500m', 'count/secrets': '0' } },
  })
  await eventually(async () => (await cluster.call('GET', path)).body.status?.used?.pods === '0', 'a quota counted')
  const resources = (cpu?: string) => ({
    ...nowhere,
    containers: [{ name: 'main', image: 'x', ...(cpu && { resources: { requests: { cpu } } }) }],
  })
  const make = (name: string, cpu?: string) =>
    cluster.call('POST', cluster.path('v1', 'pods'), pod(name, resources(cpu)))
  const bare = await make('bare')
  assert.equal(
    [bare.code, bare.body.message],
    [403, 'pods "bare" is forbidden: failed quota: few: must specify requests.cpu for: main'],
  )
  const much = await make('much', '600m')
  assert.equal([much.code, much.body.reason], [403, 'Forbidden'])
  assert.is(
    much.body.message,
    'pods "much" is forbidden: exceeded quota: few, requested: requests.cpu=600m, used: requests.cpu=0, limited: requests.cpu=500m',
  )
  assert.is((await make('first', '100m')).code, 201)
  await eventually(async () => (await cluster.call('GET', path)).body.status.used.pods === '1', 'a pod counted')
  const second = await make('second', '100m')
  assert.match(second.body.message, 'exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1')
  const secret = await cluster.call('POST', cluster.path('v1', 'secrets'), { metadata: { name: 's' } })
  assert.match(
    secret.body.message,
    'exceeded quota: few, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0',
  )
  await cluster.call('DELETE', path)
})

test('a budget says how many may go, and evictions obey it', async () => {
  await cluster.make('v1', 'pods', pod('kept', nowhere))
  await cluster.make('policy/v1', 'poddisruptionbudgets', {
    metadata: { name: 'keep' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
  })
  const path = cluster.path('policy/v1', 'poddisruptionbudgets', 'keep')
  const status = await eventually(async () => {
    const { status } = (await cluster.call('GET', path)).body
    return status?.observedGeneration === 1 && status.expectedPods === 1 ? status : null
  }, 'a budget counted')
  assert.equal(
    [status.currentHealthy, status.desiredHealthy, status.disruptionsAllowed, status.expectedPods],
    [0, 1, 0, 1],
  )
  const [condition] = status.conditions
  assert.equal([condition.type, condition.status, condition.reason], ['DisruptionAllowed', 'False', 'InsufficientPods'])
  const evict = (name: string, query = '') =>
    cluster.call('POST', `${cluster.path('v1', 'pods', name)}/eviction${query}`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
    })
  const never = await evict('never')
  assert.is(never.code, 404)
  // Whoever waits for a node disturbs nobody.
  const gone = await evict('kept')
  assert.equal([gone.code, gone.body.status], [201, 'Success'], gone.body.message)
})

test('both bounds of a budget are too many', async () => {
  const { code, body } = await cluster.call('POST', cluster.path('policy/v1', 'poddisruptionbudgets'), {
    metadata: { name: 'both' },
    spec: { minAvailable: 1, maxUnavailable: 1, selector: {} },
  })
  assert.is(code, 422)
  assert.match(body.message, 'minAvailable and maxUnavailable cannot be both set')
})

const policy = (name: string, spec: Loose) => ({
  apiVersion: API,
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec,
})
const maps = {
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
  ],
}
const POLICIES = `/apis/${API}/validatingadmissionpolicies`
const BINDINGS = `/apis/${API}/validatingadmissionpolicybindings`

const bound = async (word: string, spec: Loose, actions = ['Deny']) => {
  const name = `${cluster.namespace}-${word}`
  const made = await cluster.call('POST', POLICIES, policy(name, { matchConstraints: maps, ...spec }))
  assert.is(made.code, 201, made.body.message)
  cluster.remove(`${POLICIES}/${name}`)
  const binding = await cluster.call('POST', BINDINGS, {
    metadata: { name },
    spec: {
      policyName: name,
      validationActions: actions,
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': cluster.namespace } } },
    },
  })
  assert.is(binding.code, 201, binding.body.message)
  cluster.remove(`${BINDINGS}/${name}`)
  return { name, made: made.body, binding: binding.body }
}
const dry = (name: string, more = {}) =>
  cluster.call('POST', `${cluster.path('v1', 'configmaps')}?dryRun=All`, map(name, more))

test('a policy denies in its own words, with its reason', async () => {
  const { name, made, binding } = await bound('deny', {
    variables: [{ name: 'a', expression: "object.?data[?'a'].orValue('')" }],
    validations: [
      { expression: "variables.a != 'bad'", message: 'not a', reason: 'Forbidden' },
      { expression: "variables.a != 'odd'", messageExpression: "'so odd: ' + variables.a" },
      { expression: "variables.a != 'plain'" },
      { expression: "variables.a != 'broken' || object.data.b == 'x'" },
    ],
  })
  assert.equal([made.spec.failurePolicy, made.metadata.generation], ['Fail', 1])
  assert.equal(
    [made.spec.matchConstraints.matchPolicy, made.spec.matchConstraints.namespaceSelector],
    ['Equivalent', {}],
  )
  assert.equal(made.spec.matchConstraints.resourceRules[0].scope, '*')
  assert.equal(binding.spec.matchResources.matchPolicy, 'Equivalent')
  const names = `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: `
  const bad = await eventually(async () => {
    const it = await dry('x', { data: { a: 'bad' } })
    return it.code === 201 ? null : it
  }, 'a policy in force')
  assert.equal(
    [bad.code, bad.body.reason, bad.body.message],
    [403, 'Forbidden', `configmaps "x" is forbidden: ${names}not a`],
  )
  assert.equal(bad.body.details, { name: 'x', kind: 'configmaps', causes: [{ message: `${names}not a` }] })
  const odd = await dry('x', { data: { a: 'odd' } })
  assert.equal(
    [odd.code, odd.body.reason, odd.body.message],
    [422, 'Invalid', `configmaps "x" is forbidden: ${names}so odd: odd`],
  )
  const plain = await dry('x', { data: { a: 'plain' } })
  assert.is(plain.body.message, `configmaps "x" is forbidden: ${names}failed expression: variables.a != 'plain'`)
  const broken = await dry('x', { data: { a: 'broken' } })
  assert.is(broken.code, 422)
  assert.match(
    broken.body.message,
    `${names}expression 'variables.a != 'broken' || object.data.b == 'x'' resulted in error: no such key: b`,
  )
  assert.is((await dry('x')).code, 201)
})

test('a policy may warn instead', async () => {
  const { name } = await bound('warn', { validations: [{ expression: '!has(object.data.warn)', message: 'beware' }] }, [
    'Warn',
  ])
  const warned = await eventually(async () => {
    const it = await dry('y', { data: { warn: 'me' } })
    return it.headers.get('warning') ? it : null
  }, 'a warning')
  assert.is(warned.code, 201)
  assert.is(
    warned.headers.get('warning'),
    `299 - "Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${name}': beware"`,
  )
})

for (const { when, spec, field, says } of [
  {
    when: 'does not compile',
    spec: { validations: [{ expression: 'object.' }] },
    field: 'spec.validations[0].expression',
    says: 'compilation failed: ',
  },
  {
    when: 'is no condition',
    spec: { validations: [{ expression: "'text'" }] },
    field: 'spec.validations[0].expression',
    says: 'must evaluate to bool',
  },
  {
    when: 'knows no such variable',
    spec: { variables: [{ name: 'a', expression: '1' }], validations: [{ expression: 'variables.never' }] },
    field: 'spec.validations[0].expression',
    says: "undefined field 'never'",
  },
  {
    when: 'validates nothing',
    spec: { validations: [] },
    field: 'spec.validations',
    says: 'validations or auditAnnotations must contain at least one item',
  },
  {
    when: 'has a message that is no text',
    spec: { validations: [{ expression: 'true', messageExpression: '1' }] },
    field: 'spec.validations[0].messageExpression',
    says: 'must evaluate to string',
  },
])
  test(`a policy is refused that ${when}`, async () => {
    const { code, body } = await cluster.call(
      'POST',
      `${POLICIES}?dryRun=All`,
      policy('refused', { matchConstraints: maps, ...spec }),
    )
    assert.is(code, 422, JSON.stringify(body.spec))
    assert.equal(
      body.details.causes.map((it: Loose) => it.field),
      field === 'spec.validations' ? [field, 'spec.auditAnnotations'] : [field],
      body.message,
    )
    assert.match(body.message, says)
  })
