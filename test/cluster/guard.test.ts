import * as assert from 'uvu/assert'
import { labelPolicy } from '../../src/rollout/guard/label-policy.ts'
import { type Admission, guardPolicy } from '../../src/rollout/guard/policy.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { pathOf } from '../../src/rollout/kube/object.ts'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { cases, ground, moved, whole, workload } from '../rollout/guard-cases.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { pod } from './objects.ts'

const { test, before, after } = suite('cluster: our admission policies')
let cluster: Cluster

const make = async ({ policy, binding }: Admission) => {
  for (const object of [policy, binding]) {
    const path = pathOf({ ...object, namespace: undefined, name: object.metadata.name })
    cluster.remove(path)
    const { code, body, headers } = await cluster.apply(path, object, 'kapsule-egress')
    assert.is(code, 201, body.message)
    assert.is(headers.get('warning'), null)
  }
}

before(async () => {
  cluster = await openCluster('guard')
  await make(guardPolicy(cluster.namespace, ground))
  await make(labelPolicy(cluster.namespace))
  const forbidden = at(workload({ kind: 'Pod', labels: moved, spec: { hostNetwork: true } }))
  await eventually(async () => (await dry(forbidden)).code === 403, 'a policy in force', 120)
})
after(() => cluster?.close())

const at = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, namespace: cluster.namespace },
})
const dry = (object: KubeObject) =>
  cluster.call('POST', `${pathOf({ ...object, namespace: cluster.namespace, name: '' })}?dryRun=All`, object)

for (const { when, object, says, strict, elsewhere } of cases) {
  if (elsewhere || JSON.stringify(object).includes('ephemeralContainers')) continue
  test(`the API server judges ${when} as the rule does`, async () => {
    const { code, body } = await dry(at(whole(object)))
    const { namespace } = cluster
    if (says.length > 0 || strict) {
      assert.equal([code, body.reason], [403, 'Forbidden'], body.message)
      const names = `ValidatingAdmissionPolicy 'kapsule-egress-guard-${namespace}' with binding 'kapsule-egress-guard-${namespace}'`
      assert.match(body.message, `is forbidden: ${names} denied request: kapsule-egress: `)
      assert.ok(
        body.details.causes.every((it: Loose) => it.message),
        JSON.stringify(body.details),
      )
    } else assert.is(code, 201, body.message)
  })
}

test('a debugger with a capability is not put into a pod', async () => {
  await cluster.make('v1', 'pods', pod('debugged', { nodeSelector: { 'egress-test/never': 'yes' } }))
  const debug = (add: string[]) =>
    cluster.patch(`${cluster.path('v1', 'pods', 'debugged')}/ephemeralcontainers`, 'strategic-merge', {
      spec: { ephemeralContainers: [{ name: 'debug', image: 'x', securityContext: { capabilities: { add } } }] },
    })
  const refused = await debug(['NET_ADMIN'])
  assert.is(refused.code, 403, refused.body.message)
  assert.match(refused.body.message, 'NET_ADMIN is forbidden')
  assert.is((await debug(['CHOWN'])).code, 200)
})

test('the label comes off by our own hand alone, whichever way it is written', async () => {
  const path = cluster.path('v1', 'pods', 'labelled')
  await cluster.make('v1', 'pods', pod('labelled', { nodeSelector: { 'egress-test/never': 'yes' } }, { labels: moved }))
  const off = (query = '') =>
    cluster.patch(`${path}?dryRun=All${query}`, 'merge', { metadata: { labels: { egress: null } } })
  const refused = await eventually(async () => {
    const it = await off()
    return it.code === 403 ? it : null
  }, 'a label policy in force')
  assert.match(refused.body.message, 'comes off by scripts/rollback.ts alone')
  assert.is((await off('&fieldManager=kubectl-edit')).code, 403)
  const live = (await cluster.call('GET', path)).body
  const put = { ...live, metadata: { ...live.metadata, labels: {} } }
  assert.is((await cluster.call('PUT', `${path}?dryRun=All`, put)).code, 403)
  const ours = await off('&fieldManager=kapsule-egress')
  assert.is(ours.code, 200, ours.body.message)
  const other = await cluster.patch(path, 'merge', { metadata: { labels: { more: 'yes' } } })
  assert.is(other.code, 200, other.body.message)
  const labelled = { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { of: 'ours' } } }
  assert.is((await cluster.apply(path, labelled, 'kapsule-egress')).code, 200)
})

test('its types are checked, and nothing is said against them', async () => {
  for (const word of ['guard', 'label']) {
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/kapsule-egress-${word}-${cluster.namespace}`
    const seen = async () => (await cluster.call('GET', path)).body.status?.typeChecking
    const status = await eventually(seen, 'types that were checked', 5).catch(() => null)
    if (!status) return console.log('skipped, types of expressions: no controller of this cluster checks them')
    assert.equal(status.expressionWarnings ?? [], [])
  }
})
