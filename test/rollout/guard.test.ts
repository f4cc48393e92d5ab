import * as assert from 'uvu/assert'
import type { Report } from '../../src/engine/kind.ts'
import { Problem, Problems } from '../../src/engine/problem.ts'
import { forbidden, refuseForbidden } from '../../src/rollout/guard.ts'
import { manifestKind } from '../../src/rollout/manifest.ts'
import { demoWorkload, egressPolicy, namespace, proxyConfigMap } from '../../src/rollout/manifests.ts'
import { proxyEnv } from '../../src/rollout/no-proxy.ts'
import { probePodFor } from '../../src/rollout/probe-pod.ts'
import { healthLoop, proxyService, proxySlice } from '../../src/rollout/proxy-service.ts'
import type { Pod } from '../../src/rollout/workload.ts'
import { suite } from '../support/suite.ts'
import { cases, env, ground, moved, ours, reach, workload } from './guard-cases.ts'

const { test } = suite('rollout/guard')

for (const { when, object, says } of cases)
  test(when, () => {
    const found = forbidden(object, ground)
    assert.is(found.length, says.length, JSON.stringify(found))
    for (const [at, it] of says.entries()) assert.ok(found[at]!.why.includes(it), found[at]!.why)
  })

test('without a ground, names alone are asked for, of any proxy', () => {
  const named = env({ http_proxy: 'http://other:8080', no_proxy: '.svc,.cluster.local' })
  assert.equal(forbidden(workload({ of: { env: named } })), [])
  assert.is(forbidden(workload({ of: { env: named.slice(0, 1) } })).length, 1)
})

test('nothing of ours is forbidden', () => {
  const at = { namespace: 'shop' }
  const loop = { tenant: 'a', namespace: 'shop', pool: 'a', addresses: ['172.16.28.8'], port: 3128, ask: 'http://x/' }
  const { rights, deployment } = healthLoop(loop)
  const pod = workload({
    kind: 'Pod',
    labels: moved,
    of: { env: proxyEnv({ address: '172.16.28.8', port: 3128 }, reach) },
  })
  const all = [
    namespace('shop'),
    proxyConfigMap(at, { address: '172.16.28.8', port: 3128 }),
    egressPolicy(at, [{ address: '172.16.28.8', port: 3128 }], { pods: '', services: '', dnsIp: '' }),
    demoWorkload({ tenant: 'a', namespace: 'shop', name: 'web', pool: 'a' }),
    proxyService('shop', 3128),
    proxySlice('shop', ['172.16.28.8'], 3128),
    ...rights,
    deployment,
    probePodFor(pod as unknown as Pod, { run: 'r', image: 'curl:1' }),
  ]
  for (const it of all) assert.equal(forbidden(it, ground), [], it.kind)
})

test('what is forbidden is refused before it is sent, everything at once and with what to do', async () => {
  const object = workload({ kind: 'DaemonSet', own: ours, spec: { hostNetwork: true } })
  const want = { kubeconfig: 'nowhere', object }
  const said = (thrown: unknown) => thrown instanceof Problems && thrown.all.map(it => it.message).join('\n')
  const both =
    "DaemonSet shop/api: its node's network for egress is forbidden\nDaemonSet shop/api: a DaemonSet for egress is forbidden"
  const kube = () => assert.unreachable('it was sent') as never
  assert.throws(
    () => manifestKind.diff(want, null),
    (thrown: unknown) => said(thrown) === both,
  )
  try {
    await manifestKind.apply(want, { kube }, null, {} as Report)
    assert.unreachable()
  } catch (thrown) {
    assert.is(said(thrown), both)
  }
  assert.throws(
    () => refuseForbidden(workload({ labels: moved, spec: { hostNetwork: true } })),
    (thrown: unknown) => thrown instanceof Problem && thrown.next.includes('hostNetwork: false'),
  )
})
