import * as assert from 'uvu/assert'
import { guardPolicy } from '../../src/rollout/guard/policy.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { suite } from '../support/suite.ts'
import { startCluster } from './cluster.ts'
import { cases, ground, moved, whole, workload } from './guard-cases.ts'

const { test, before, after } = suite('rollout/guard: policy')
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
  for (const name of ['shop', 'free'])
    await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const { policy, binding } = guardPolicy('shop', ground)
  await cluster.kube.apply(policy)
  await cluster.kube.apply(binding)
})
after(() => cluster?.close())

/** What the API says against it; null: it is made, and taken away again. */
const refused = async (object: KubeObject): Promise<string | null> => {
  try {
    const { metadata } = await cluster.kube.create(object)
    await cluster.kube.delete({ ...object, namespace: metadata.namespace, name: metadata.name })
    return null
  } catch (thrown) {
    if (!(thrown instanceof KubeProblem)) throw thrown
    assert.is(thrown.status, 403, thrown.why)
    return thrown.why
  }
}

for (const { when, object, says, strict, elsewhere } of cases) {
  if (elsewhere || JSON.stringify(object).includes('ephemeralContainers')) continue
  test(`the API server judges ${when} as the rule does`, async () => {
    const why = await refused(whole(object))
    if (says.length > 0 || strict) assert.match(why ?? 'it was made', /denied request: kapsule-egress: /)
    else assert.is(why, null)
  })
}

test('other namespaces are not judged', async () => {
  const object = workload({ kind: 'Pod', labels: moved, spec: { hostNetwork: true }, namespace: 'free' })
  assert.is(await refused(object), null)
})
