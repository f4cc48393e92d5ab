import * as assert from 'uvu/assert'
import { admissionPolicyKind } from '../../src/rollout/admission-policy.ts'
import { admitted } from '../../src/rollout/guard/admitted.ts'
import { labelPolicy } from '../../src/rollout/guard/label-policy.ts'
import { guardPolicy } from '../../src/rollout/guard/policy.ts'
import { type Kube, MANAGER } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { suite } from '../support/suite.ts'
import { report, startCluster } from './cluster.ts'
import { ground, moved, workload } from './guard-cases.ts'

const { test, before, after } = suite('rollout/admission-policy')
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
  for (const name of ['shop', 'egress-system'])
    await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
})
after(() => cluster?.close())

const wanted = () => ({ kubeconfig: cluster.kubeconfig, namespace: 'shop', ...guardPolicy('shop', ground) })
const thrownBy = async (work: () => Promise<unknown>): Promise<string | null> => {
  try {
    await work()
    return null
  } catch (thrown) {
    if (!(thrown instanceof KubeProblem)) throw thrown
    return thrown.why
  }
}

test('it is made, found as wanted, changed when the ground is another, and taken away whole', async () => {
  const want = wanted()
  const { diff, read, apply, undo } = admissionPolicyKind
  assert.is(await read(want, cluster.clients, report()), null)
  assert.is(diff(want, null)?.action, 'create')
  const made = await apply(want, cluster.clients, null, report())
  assert.is(diff(want, made), null)
  const seen = await read(want, cluster.clients, report())
  assert.is(diff(want, seen), null)
  const other = { ...want, ...guardPolicy('shop', { ...ground, inside: ['10.0.0.0/8'] }) }
  assert.is(diff(other, seen)?.action, 'update')
  const host = workload({ kind: 'Pod', labels: moved, spec: { hostNetwork: true } })
  assert.match(
    (await thrownBy(() => cluster.kube.create(host))) ?? '',
    /kapsule-egress: its node's network is forbidden/,
  )
  const changed = await apply(other, cluster.clients, seen, report())
  await undo?.(other, cluster.clients, made, changed, report())
  assert.is(diff(want, await read(want, cluster.clients, report())), null, 'as it was before the change')
  await undo?.(want, cluster.clients, null, made, report())
  await undo?.(want, cluster.clients, null, made, report())
  assert.is(await read(want, cluster.clients, report()), null)
  assert.is(await thrownBy(() => cluster.kube.create(host)), null)
  await cluster.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'api' }, { graceSeconds: 0 })
})

const refusing = (status: number, allowed = true): Kube =>
  ({
    list: async () => {
      if (status) throw new KubeProblem('list', 'jane may not', '', status)
      return { items: [], resourceVersion: '1' }
    },
    create: async () => ({ status: { allowed } }),
  }) as unknown as Kube
for (const { when, kube, left } of [
  {
    when: 'a cluster without the API',
    kube: refusing(404),
    left: 'the cluster has no ValidatingAdmissionPolicy (Kubernetes 1.30 does)',
  },
  { when: 'a user who may not look', kube: refusing(403), left: 'jane may not' },
  {
    when: 'a user who may not make any',
    kube: refusing(0, false),
    left: 'this user may not create, patch, delete validatingadmissionpolicies',
  },
])
  test(`${when} is left without it, and the rollout goes on`, async () => {
    const live = await admissionPolicyKind.read(wanted(), { kube: () => kube }, report())
    assert.equal(live, { left })
    assert.is(admissionPolicyKind.diff(wanted(), live), null)
  })

test('a cluster that does not answer is no cluster without the API', async () => {
  const said = await thrownBy(() => admissionPolicyKind.read(wanted(), { kube: () => refusing(503) }, report()))
  assert.is(said, 'jane may not')
})

test('the label of what has moved comes off by our own hand alone', async () => {
  const want = { kubeconfig: cluster.kubeconfig, namespace: 'shop', ...labelPolicy('shop') }
  await admissionPolicyKind.apply(want, cluster.clients, null, report())
  const spec = { replicas: 0, selector: { matchLabels: { app: 'api' } } }
  const template = (labels: object) => ({
    metadata: { labels: { app: 'api', ...labels } },
    spec: { containers: [{ name: 'app', image: 'a:1' }] },
  })
  await cluster.kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop' },
    spec: { ...spec, template: template({}) },
  } as KubeObject)
  await cluster.kube.create(workload({ kind: 'Pod' }))
  const api = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' }
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'api' }
  const label = (egress: string | null, manager = 'kubectl-edit') =>
    cluster.kube.patch(api, { merge: { spec: { template: { metadata: { labels: { egress } } } } } }, { manager })
  const podLabel = (egress: string | null, manager = 'kubectl-edit') =>
    cluster.kube.patch(pod, { merge: { metadata: { labels: { egress } } } }, { manager })
  const no = /the label egress=external comes off by scripts\/rollback.ts alone/

  await label('external')
  await podLabel('external')
  assert.match((await thrownBy(() => label(null))) ?? 'taken off', no)
  assert.match((await thrownBy(() => label('other'))) ?? 'changed', no)
  assert.match((await thrownBy(() => podLabel(null))) ?? 'taken off', no)
  assert.is(await thrownBy(() => cluster.kube.patch(api, { merge: { metadata: { labels: { team: 'a' } } } })), null)
  assert.is(await thrownBy(() => podLabel(null, MANAGER)), null)
  assert.is(await thrownBy(() => label(null, MANAGER)), null)
  await label('external')
  assert.is(await thrownBy(() => cluster.kube.delete(api)), null, 'to delete a workload is its owner’s business')
})

test('a server that still goes by the policy of before is asked again', async () => {
  let asked = 0
  const stale = new KubeProblem(
    'apply',
    "ValidatingAdmissionPolicy 'kapsule-egress-label-shop' denied request",
    '',
    403,
  )
  const act = async () => {
    if (asked++ < 2) throw stale
    return 'done'
  }
  assert.is(await admitted(act), 'done')
  assert.is(asked, 3)
})
