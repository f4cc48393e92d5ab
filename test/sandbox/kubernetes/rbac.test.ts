import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: who may do what')
let world: World
let token = ''
before(async () => {
  world = await createWorld()
  await made('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'engine' } })
  const asked = await world.call('POST', '/api/v1/namespaces/default/serviceaccounts/engine/token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600 },
  })
  assert.is(asked.code, 201)
  token = asked.body.status.token
})
after(() => world?.close())

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const made = async (path: string, body: Loose) => {
  const { code, body: answer } = await world.call('POST', path, body)
  assert.is(code, 201, JSON.stringify(answer))
}
const as = (method: string, path: string, body?: Loose, headers: Record<string, string> = {}) =>
  world.call(method, path, body, { authorization: `Bearer ${token}`, ...headers })
const may = async (spec: Loose) => {
  const { code, body } = await as('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec,
  })
  assert.is(code, 201, JSON.stringify(body))
  return body.status as Loose
}
const pods = { namespace: 'default', verb: 'list', resource: 'pods' }

test('a refusal is told as by the real one, with and without a name', async () => {
  const one = await as('GET', '/api/v1/namespaces/default/pods/a')
  assert.is(one.code, 403)
  const who = 'User "system:serviceaccount:default:engine"'
  assert.is(
    one.body.message,
    `pods "a" is forbidden: ${who} cannot get resource "pods" in API group "" in the namespace "default"`,
  )
  const many = await as('GET', '/apis/apps/v1/deployments')
  assert.is(
    many.body.message,
    `deployments.apps is forbidden: ${who} cannot list resource "deployments" in API group "apps" at the cluster scope`,
  )
  assert.equal(many.body.details, { group: 'apps', kind: 'deployments' })
})

test('a review answers what a call would meet, and names the binding', async () => {
  assert.equal(await may({ resourceAttributes: pods }), { allowed: false })
  await made(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: 'looks' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'engine' }],
  })
  assert.equal(await may({ resourceAttributes: pods }), {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "looks/default" of ClusterRole "view" to ServiceAccount "engine/default"',
  })
  assert.is((await as('GET', '/api/v1/namespaces/default/pods')).code, 200)
  for (const more of [{ verb: 'patch' }, { namespace: 'kube-system' }, { namespace: '' }, { resource: 'secrets' }])
    assert.is((await may({ resourceAttributes: { ...pods, ...more } })).allowed, false, JSON.stringify(more))
  assert.is((await may({ resourceAttributes: { ...pods, verb: 'get', subresource: 'log' } })).allowed, true)
  assert.is((await may({ nonResourceAttributes: { path: '/version', verb: 'get' } })).allowed, true)
  assert.is((await may({ nonResourceAttributes: { path: '/metrics', verb: 'get' } })).allowed, false)
  assert.is((await as('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: {} })).code, 400)
})

test('all rules of a namespace, and who one is', async () => {
  const { body } = await as('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    spec: { namespace: 'default' },
  })
  assert.is(body.status.incomplete, false)
  assert.ok(body.status.resourceRules.some((it: Loose) => it.resources.includes('pods') && it.verbs.includes('watch')))
  assert.not(body.status.resourceRules.some((it: Loose) => it.verbs.includes('*')))
  const me = (await as('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})).body.status.userInfo
  assert.is(me.username, 'system:serviceaccount:default:engine')
  assert.ok(me.groups.includes('system:serviceaccounts:default'))
})

test('server-side apply of what is not there needs the right to create', async () => {
  await made(`${rbac}/namespaces/default/roles`, {
    metadata: { name: 'patches' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }],
  })
  await made(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: 'patches' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patches' },
    subjects: [{ kind: 'ServiceAccount', name: 'engine', namespace: 'default' }],
  })
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' }, data: { a: '1' } }
  const type = { 'content-type': 'application/apply-patch+yaml' }
  const path = '/api/v1/namespaces/default/configmaps/new?fieldManager=engine'
  const refused = await as('PATCH', path, body, type)
  assert.is(refused.code, 403)
  assert.match(refused.body.message, 'cannot create resource "configmaps"')
  await made('/api/v1/namespaces/default/configmaps', { metadata: { name: 'new' } })
  assert.is((await as('PATCH', path, body, type)).code, 200)
})

test('who may not impersonate is nobody else', async () => {
  const path = '/api/v1/namespaces/default/secrets'
  const refused = await as('GET', path, undefined, { 'impersonate-user': 'kubernetes-admin' })
  assert.is(refused.code, 403)
  assert.match(refused.body.message, 'cannot impersonate resource "users"')
  const other = await world.call('GET', path, undefined, { 'impersonate-user': 'jane' })
  assert.match(other.body.message, 'User "jane" cannot list resource "secrets"')
})
