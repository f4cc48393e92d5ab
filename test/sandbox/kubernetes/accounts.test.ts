import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: service accounts')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

const home = '/api/v1/namespaces/default'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const made = async (path: string, body: Loose) => {
  const { code, body: answer } = await world.call('POST', path, body)
  assert.is(code, 201, JSON.stringify(answer))
}
const pod = (name: string, more: Loose = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'demo:1' }], ...more },
})
const directory = '/var/run/secrets/kubernetes.io/serviceaccount'
const filesOf = async (name: string) => (await eventually(() => world.fake.spec(name), name)).containers[0]!.files
const as = (token: string, method: string, path: string, body?: Loose) =>
  world.call(method, path, body, {
    authorization: `Bearer ${token}`,
    ...(method === 'PATCH' && { 'content-type': 'application/merge-patch+json' }),
  })
let token: string

test('a pod finds its token, the CA and its namespace; one that wants none finds none', async () => {
  await made(`${home}/serviceaccounts`, { metadata: { name: 'health' } })
  await made(`${home}/pods`, pod('loop', { serviceAccountName: 'health' }))
  await made(`${home}/pods`, pod('plain', { automountServiceAccountToken: false }))
  const files = await filesOf('loop')
  token = files[`${directory}/token`] ?? ''
  assert.is(token.split('.').length, 3)
  assert.match(files[`${directory}/ca.crt`] ?? '', /BEGIN CERTIFICATE/)
  assert.is(files[`${directory}/namespace`], 'default')
  assert.equal(await filesOf('plain'), {})
})

test('a role allows its verbs on its names, and nothing else', async () => {
  for (const name of ['out-a', 'out-b'])
    await made(slices, { metadata: { name }, addressType: 'IPv4', endpoints: [], ports: [] })
  const change = { metadata: { labels: { seen: 'yes' } } }
  const refused = await as(token, 'PATCH', `${slices}/out-a`, change)
  assert.is(refused.code, 403)
  assert.match(
    refused.body.message,
    /endpointslices.discovery.k8s.io "out-a" is forbidden: User "system:serviceaccount:default:health" cannot patch/,
  )
  const rules = [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['patch'], resourceNames: ['out-a'] },
  ]
  await made(`${rbac}/roles`, { metadata: { name: 'health' }, rules })
  await made(`${rbac}/rolebindings`, {
    metadata: { name: 'health' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'health' },
    subjects: [{ kind: 'ServiceAccount', name: 'health', namespace: 'default' }],
  })
  const codes = [
    await as(token, 'PATCH', `${slices}/out-a`, change),
    await as(token, 'PATCH', `${slices}/out-b`, change),
    await as(token, 'GET', `${slices}/out-a`),
    await as(token, 'GET', slices),
    await as(token, 'DELETE', `${slices}/out-a`),
    await as(token, 'GET', `${home}/secrets`),
    await as(token, 'GET', '/version'),
  ].map(it => it.code)
  assert.equal(codes, [200, 403, 403, 403, 403, 403, 200])
})

test('a token that was touched, or whose account is gone, is nobody', async () => {
  const [head, claims, signature] = token.split('.')
  const admin = Buffer.from(Buffer.from(claims!, 'base64url').toString().replaceAll('health', 'default')).toString(
    'base64url',
  )
  assert.is((await as(`${head}.${admin}.${signature}`, 'GET', slices)).code, 401)
  assert.is((await as('x.y.z', 'GET', slices)).code, 401)
  await world.call('DELETE', `${home}/serviceaccounts/health`)
  assert.is((await as(token, 'PATCH', `${slices}/out-a`, {})).code, 401)
})

test('an empty directory of a pod is one that its process may write to', async () => {
  const more = { volumes: [{ name: 'beat', emptyDir: { medium: 'Memory' } }] }
  const it = pod('beat', more) as Loose
  it.spec.containers[0].volumeMounts = [{ name: 'beat', mountPath: '/beat' }]
  await made(`${home}/pods`, it)
  const { containers, volumes } = await eventually(() => world.fake.spec('beat'), 'beat')
  assert.equal(containers[0]!.mounts, [{ volume: 'beat', path: '/beat' }])
  assert.equal(volumes, [{ name: 'beat' }])
})
