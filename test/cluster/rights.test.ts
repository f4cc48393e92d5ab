import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, map } from './objects.ts'

const { test, before, after } = suite('cluster: rights')
let cluster: Cluster
/** The service account that may read what is made here, and label Deployments of one name. */
let reader = ''
const RBAC = 'rbac.authorization.k8s.io/v1'

before(async () => {
  cluster = await openCluster('rights')
  reader = `system:serviceaccount:${cluster.namespace}:reader`
  await cluster.make('v1', 'serviceaccounts', { metadata: { name: 'reader' } })
  await cluster.make(RBAC, 'roles', {
    metadata: { name: 'reader' },
    rules: [
      { apiGroups: [''], resources: ['configmaps', 'pods', 'pods/log'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'], verbs: ['get', 'patch'] },
    ],
  })
  await cluster.make(RBAC, 'rolebindings', {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: cluster.namespace }],
  })
  await cluster.make('v1', 'configmaps', map('seen'))
  await eventually(async () => (await as('GET', cluster.path('v1', 'configmaps'))).code === 200, 'rights in force')
})
after(() => cluster?.close())

const as = (method: string, path: string, body?: Loose, headers = {}) =>
  cluster.call(method, path, body, { 'impersonate-user': reader, ...headers })

test('what is bound is allowed', async () => {
  assert.is((await as('GET', cluster.path('v1', 'configmaps', 'seen'))).code, 200)
  assert.is((await as('GET', cluster.path('apps/v1', 'deployments', 'web'))).code, 404)
})

for (const { method, api, plural, name, sub, says, details, body } of [
  {
    method: 'POST',
    api: 'v1',
    plural: 'configmaps',
    body: map('x'),
    says: 'configmaps is forbidden: User "U" cannot create resource "configmaps" in API group "" in the namespace "N"',
    details: { kind: 'configmaps' },
  },
  {
    method: 'DELETE',
    api: 'v1',
    plural: 'configmaps',
    name: 'seen',
    says: 'configmaps "seen" is forbidden: User "U" cannot delete resource "configmaps" in API group "" in the namespace "N"',
    details: { name: 'seen', kind: 'configmaps' },
  },
  {
    method: 'GET',
    api: 'apps/v1',
    plural: 'deployments',
    says: 'deployments.apps is forbidden: User "U" cannot list resource "deployments" in API group "apps" in the namespace "N"',
    details: { group: 'apps', kind: 'deployments' },
  },
  {
    method: 'GET',
    api: 'apps/v1',
    plural: 'deployments',
    name: 'other',
    says: 'deployments.apps "other" is forbidden: User "U" cannot get resource "deployments" in API group "apps" in the namespace "N"',
    details: { name: 'other', group: 'apps', kind: 'deployments' },
  },
  {
    method: 'POST',
    api: 'v1',
    plural: 'pods',
    name: 'a',
    sub: 'exec',
    says: 'pods "a" is forbidden: User "U" cannot create resource "pods/exec" in API group "" in the namespace "N"',
    details: { name: 'a', kind: 'pods' },
  },
] as {
  method: string
  api: string
  plural: string
  name?: string
  sub?: string
  says: string
  details: Loose
  body?: Loose
}[])
  test(`403: ${method} ${plural} ${name ?? ''}${sub ? `/${sub}` : ''}`, async () => {
    const path = cluster.path(api, plural, name) + (sub ? `/${sub}?command=x&stdout=1` : '')
    const { code, body: answer } = await as(method, path, body)
    assert.equal([code, answer.reason], [403, 'Forbidden'])
    assert.is(answer.message, says.replace('"U"', `"${reader}"`).replace('"N"', `"${cluster.namespace}"`))
    assert.equal(answer.details, details)
  })

test('403 of the whole cluster', async () => {
  const { body } = await as('GET', '/api/v1/nodes')
  assert.is(
    body.message,
    `nodes is forbidden: User "${reader}" cannot list resource "nodes" in API group "" at the cluster scope`,
  )
  const { body: all } = await as('GET', '/api/v1/configmaps')
  assert.match(all.message, 'cannot list resource "configmaps" in API group "" at the cluster scope')
})

test('an apply that makes needs create as well as patch', async () => {
  const path = `${cluster.path('apps/v1', 'deployments', 'web')}?fieldManager=x`
  const { code, body } = await as('PATCH', path, deployment('web'), {
    'content-type': 'application/apply-patch+yaml',
  })
  assert.is(code, 403)
  assert.match(body.message, 'cannot create resource "deployments" in API group "apps"')
})

const may = async (attributes: Loose, headers = {}) => {
  const { code, body } = await cluster.call(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes },
    },
    { 'impersonate-user': reader, ...headers },
  )
  assert.is(code, 201, body.message)
  return body.status
}

test('access reviews tell what holds', async () => {
  const { namespace } = cluster
  assert.equal((await may({ namespace, verb: 'list', resource: 'configmaps' })).allowed, true)
  assert.match((await may({ namespace, verb: 'list', resource: 'configmaps' })).reason, 'RBAC: allowed by RoleBinding')
  const no = await may({ namespace, verb: 'create', resource: 'configmaps' })
  assert.equal([no.allowed, no.denied], [false, undefined])
  assert.is(
    (await may({ namespace, verb: 'patch', group: 'apps', resource: 'deployments', name: 'web' })).allowed,
    true,
  )
  assert.is((await may({ namespace, verb: 'patch', group: 'apps', resource: 'deployments' })).allowed, false)
  assert.is((await may({ namespace, verb: 'get', resource: 'pods', subresource: 'log' })).allowed, true)
  assert.is((await may({ namespace, verb: 'create', resource: 'pods', subresource: 'exec' })).allowed, false)
  assert.is((await may({ namespace: 'default', verb: 'list', resource: 'configmaps' })).allowed, false)
})

test('rules reviews list what holds in a namespace', async () => {
  const { code, body } = await as('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace: cluster.namespace },
  })
  assert.equal([code, body.status.incomplete], [201, false])
  const ours = body.status.resourceRules.filter((it: Loose) => it.resourceNames?.includes('web'))
  assert.equal(ours, [
    { verbs: ['get', 'patch'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] },
  ])
  const whole = await as('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: {} })
  assert.equal([whole.code, whole.body.message], [400, 'no namespace on request'])
})

test('a token of an account is that account', async () => {
  const path = `${cluster.path('v1', 'serviceaccounts', 'reader')}/token`
  const { code, body } = await cluster.call('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  assert.equal([code, body.kind], [201, 'TokenRequest'], body.message)
  assert.match(body.status.expirationTimestamp, /^\d{4}-/)
  const bearer = { authorization: `Bearer ${body.status.token}` }
  const me = await cluster.call(
    'POST',
    '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    bearer,
  )
  assert.is(me.code, 201, me.body.message)
  const { username, groups } = me.body.status.userInfo
  assert.equal(
    [username, groups.sort()],
    [reader, ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${cluster.namespace}`]],
  )
  const list = await cluster.call('GET', cluster.path('v1', 'configmaps'), undefined, bearer)
  assert.is(list.code, 200)
  assert.is((await cluster.call('GET', cluster.path('v1', 'secrets'), undefined, bearer)).code, 403)
})

test('whoever is not known is 401', async () => {
  const { code, body } = await cluster.call('GET', cluster.path('v1', 'configmaps'), undefined, {
    authorization: 'Bearer nonsense',
  })
  assert.is(code, 401)
  assert.equal(body, {
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' },
    ...{ message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
  })
})

test('what a role refers to is kept, and there is no second', async () => {
  const at = cluster.path(RBAC, 'rolebindings', 'reader')
  const { code, body } = await cluster.patch(at, 'merge', { roleRef: { name: 'other' } })
  assert.is(code, 422)
  assert.match(body.message, 'roleRef: Invalid value: ')
  assert.match(body.message, 'cannot change roleRef')
})

test('nobody gives what he has not', async () => {
  const { code } = await cluster.call('POST', cluster.path(RBAC, 'roles'), {
    metadata: { name: 'giver' },
    rules: [{ apiGroups: [RBAC.split('/')[0]], resources: ['roles'], verbs: ['create'] }],
  })
  assert.is(code, 201)
  await cluster.make(RBAC, 'rolebindings', {
    metadata: { name: 'giver' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'giver' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: cluster.namespace }],
  })
  const give = () =>
    as('POST', cluster.path(RBAC, 'roles'), {
      metadata: { name: 'given' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    })
  const refused = await eventually(
    async () => {
      const it = await give()
      return /attempting to grant/.test(it.body.message ?? '') || it.code === 201 ? it : null
    },
    'an answer about what is given',
    20,
  )
  assert.is(refused.code, 403)
  assert.match(
    refused.body.message,
    `roles.rbac.authorization.k8s.io "given" is forbidden: user "${reader}" (groups=["system:serviceaccounts" "system:serviceaccounts:${cluster.namespace}" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
  )
})
