import { fetch } from 'undici'
import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, deployment, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: admission policies')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const group = '/apis/admissionregistration.k8s.io/v1'
const policies = `${group}/validatingadmissionpolicies`
const bindings = `${group}/validatingadmissionpolicybindings`
const maps = '/api/v1/namespaces/default/configmaps'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const rule = (apiGroup: string, resources: string[], operations = ['CREATE', 'UPDATE']) => ({
  resourceRules: [{ apiGroups: [apiGroup], apiVersions: ['v1'], operations, resources }],
})
const made = async (path: string, body: Loose) => {
  const { code, body: answer } = await world.call('POST', path, body)
  assert.is(code, 201, JSON.stringify(answer))
}
/** Holds a policy and its binding in force for the time of some work. */
const under = async (name: string, spec: Loose, work: () => Promise<void>, binding: Loose = {}) => {
  await made(policies, { metadata: { name }, spec })
  await made(bindings, { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'], ...binding } })
  try {
    await work()
  } finally {
    await world.call('DELETE', `${bindings}/${name}`)
    await world.call('DELETE', `${policies}/${name}`)
  }
}
const map = (name: string, data: Loose = { a: '1' }) => ({ metadata: { name }, data })
const create = async (name: string, data?: Loose) => (await world.call('POST', maps, map(name, data))).body as Loose

test('a denial is told with policy, binding and message, in the code of its reason', async () => {
  const matchConstraints = rule('', ['configmaps'])
  const validations = [
    { expression: "object.data.a != 'bad'", message: 'a is bad', reason: 'Forbidden' },
    {
      expression: '!has(object.data.b)',
      message: 'not said',
      messageExpression: "'b is ' + object.data.b + ' in ' + namespaceObject.metadata.name",
    },
    { expression: "request.operation == 'CREATE' || object.data == oldObject.data" },
  ]
  await under('guard', { matchConstraints, validations }, async () => {
    const said = (text: string) => `ValidatingAdmissionPolicy 'guard' with binding 'guard' denied request: ${text}`
    const bad = await create('a', { a: 'bad' })
    assert.equal([bad.code, bad.reason], [403, 'Forbidden'])
    assert.is(bad.message, `configmaps "a" is forbidden: ${said('a is bad')}`)
    assert.equal(bad.details.causes, [{ message: said('a is bad') }])
    const b = await create('a', { a: '1', b: '2' })
    assert.equal([b.code, b.reason], [422, 'Invalid'])
    assert.match(b.message, said('b is 2 in default'))
    assert.is((await create('a')).metadata.name, 'a')
    const changed = await world.patch(`${maps}/a`, 'merge-patch+json', { data: { a: '2' } })
    assert.match(
      changed.body.message,
      said("failed expression: request.operation == 'CREATE' || object.data == oldObject.data"),
    )
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', ...map('a', { c: '1' }) }
    assert.is((await world.apply(`${maps}/a`, applied, 'tester')).code, 422)
    assert.is((await world.patch(`${maps}/a`, 'merge-patch+json', { metadata: { labels: { x: 'y' } } })).code, 200)
  })
  assert.is((await create('b', { a: 'bad' })).metadata.name, 'b', 'and then no more')
})

test('the label of a moved workload can only be taken off by whom the policy names', async () => {
  const spec = {
    matchConstraints: rule('apps', ['deployments'], ['UPDATE', 'DELETE']),
    matchConditions: [{ name: 'moved', expression: "oldObject.spec.template.metadata.?labels['egress'].hasValue()" }],
    variables: [
      {
        name: 'mine',
        expression: "request.userInfo.username == 'engine' || 'system:masters' in request.userInfo.groups",
      },
      { name: 'keeps', expression: "object != null && object.spec.template.metadata.?labels['egress'].hasValue()" },
    ],
    validations: [{ expression: 'variables.keeps || variables.mine', message: 'the label stays' }],
  }
  const body = deployment('moved', 1)
  body.spec.template.metadata.labels.egress = 'proxy'
  await made(deployments, body)
  await made('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'jane' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'User', name: 'jane' }],
  })
  const jane = { 'impersonate-user': 'jane' }
  const unlabel = { spec: { template: { metadata: { labels: { egress: null } } } } }
  const merge = { 'content-type': 'application/merge-patch+json' }
  await under('label', spec, async () => {
    const refused = await world.call('PATCH', `${deployments}/moved`, unlabel, { ...jane, ...merge })
    assert.match(refused.body.message, /^deployments.apps "moved" is forbidden: .* denied request: the label stays$/)
    assert.is((await world.call('DELETE', `${deployments}/moved`, undefined, jane)).code, 422)
    const other = { spec: { replicas: 2 } }
    assert.is((await world.call('PATCH', `${deployments}/moved`, other, { ...jane, ...merge })).code, 200)
    assert.is((await world.call('PATCH', `${deployments}/moved`, unlabel, merge)).code, 200)
    await eventually(
      async () => (await world.call('GET', `${deployments}/moved`)).body.status?.availableReplicas === 2,
      'its controllers are not in the way',
    )
  })
})

test('a controller that may not make its pods says so', async () => {
  const validations = [{ expression: '!has(object.spec.hostNetwork) || !object.spec.hostNetwork', message: 'no' }]
  await under('pods', { matchConstraints: rule('', ['pods']), validations }, async () => {
    await made(deployments, deployment('host', 1, { hostNetwork: true }))
    const failure = await eventually(
      async () =>
        (await world.call('GET', `${deployments}/host`)).body.status?.conditions?.find(
          (it: Loose) => it.type === 'ReplicaFailure',
        ),
      'the failure',
    )
    assert.match(failure.message, "with binding 'pods' denied request: no")
  })
})

test('an expression that fails: the failure policy decides; a warning is a header', async () => {
  const matchConstraints = rule('', ['configmaps'])
  const validations = [{ expression: 'object.data.none == "x"' }]
  await under('fails', { matchConstraints, validations }, async () => {
    const said = (await create('c')).message
    assert.match(said, `expression 'object.data.none == "x"' resulted in error: no such key: none`)
  })
  await under('ignores', { matchConstraints, validations, failurePolicy: 'Ignore' }, async () =>
    assert.is((await create('c')).metadata.name, 'c'),
  )
  const warns = { validationActions: ['Warn'], matchResources: { objectSelector: { matchLabels: { loud: 'yes' } } } }
  const refuses = { matchConstraints, validations: [{ expression: 'false', message: 'mind' }] }
  const heard = async (name: string, labels: Loose) => {
    const { port, token } = world.state()
    const answer = await fetch(`https://127.0.0.1:${port}${maps}`, {
      method: 'POST',
      dispatcher: world.agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name, labels } }),
    })
    await answer.text()
    assert.is(answer.status, 201)
    return answer.headers.get('warning')
  }
  const loudly = async () => {
    assert.is(
      await heard('loud', { loud: 'yes' }),
      `299 - "Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns': mind"`,
    )
    assert.is(await heard('still', {}), null)
  }
  await under('warns', refuses, loudly, warns)
})

for (const { what, match, name } of [
  {
    what: 'another namespace',
    name: 'd1',
    match: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } } },
  },
  {
    what: 'another name',
    name: 'd2',
    match: { resourceRules: [{ ...rule('', ['configmaps']).resourceRules[0], resourceNames: ['x'] }] },
  },
  { what: 'another verb', name: 'd3', match: rule('', ['configmaps'], ['DELETE']) },
  { what: 'an exclusion', name: 'd4', match: { excludeResourceRules: rule('', ['configmaps']).resourceRules } },
  {
    what: 'cluster-wide things',
    name: 'd5',
    match: { resourceRules: [{ ...rule('', ['*']).resourceRules[0], scope: 'Cluster' }] },
  },
])
  test(`a policy for ${what} is not asked`, () =>
    under(
      'elsewhere',
      { matchConstraints: { ...rule('', ['*']), ...match }, validations: [{ expression: 'false' }] },
      async () => assert.is((await create(name)).metadata?.name, name),
    ))

test('what does not compile is refused when it is written', async () => {
  const spec = { matchConstraints: rule('', ['pods']), validations: [{ expression: 'object.spec..x' }] }
  const { code, body } = await world.call('POST', policies, { metadata: { name: 'wrong' }, spec })
  assert.is(code, 422)
  assert.match(body.message, /spec.validations\[0\].expression: Invalid value: "object.spec..x": compilation failed:/)
})

test('a policy reads what its binding names, by name or by label; without it a write is refused, or let be', async () => {
  const spec = {
    matchConstraints: rule('', ['secrets']),
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [{ expression: "params.data.open == 'yes'", message: 'closed' }],
  }
  const secrets = '/api/v1/namespaces/default/secrets'
  const make = async (name: string) => (await world.call('POST', secrets, { metadata: { name } })).body as Loose
  const asked = { paramRef: { name: 'door', namespace: 'kube-system', parameterNotFoundAction: 'Deny' } }
  await under(
    'door',
    spec,
    async () => {
      assert.match((await make('a')).message, /failed to configure binding: no params found for policy binding/)
      const doors = '/api/v1/namespaces/kube-system/configmaps'
      await made(doors, { metadata: { name: 'door' }, data: { open: 'no' } })
      assert.match((await make('a')).message, /denied request: closed$/)
      await world.patch(`${doors}/door`, 'merge-patch+json', { data: { open: 'yes' } })
      assert.is((await make('a')).metadata.name, 'a')
    },
    asked,
  )
  const selector = { matchLabels: { door: 'front' } }
  const picked = { paramRef: { selector, parameterNotFoundAction: 'Allow' } }
  await under(
    'door',
    spec,
    async () => {
      assert.is((await make('b')).metadata.name, 'b', 'none is picked')
      await made(maps, { metadata: { name: 'front', labels: { door: 'front' } }, data: { open: 'no' } })
      assert.match((await make('c')).message, /denied request: closed$/)
    },
    picked,
  )
})
