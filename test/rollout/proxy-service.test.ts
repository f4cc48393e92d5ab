import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { endpointSliceKind } from '../../src/rollout/endpoint-slice.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { manifestKind } from '../../src/rollout/manifest.ts'
import { namespace } from '../../src/rollout/manifests.ts'
import { drainMark, healthLoop, proxyService, proxySlice } from '../../src/rollout/proxy-service.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'
import { report, startCluster } from './cluster.ts'

const { test, before, after } = suite('the Service before several proxies', { seconds: 60 })
const NS = 'client-a-demo'
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
  await cluster.kube.apply(namespace(NS))
})
after(async () => {
  await cluster.close()
  cleanUp()
})

const id = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: NS, name: 'egress-proxy' }
const [first, second, third] = ['172.16.28.8', '172.16.28.18', '172.16.28.28'] as const
const wantOf = (...addresses: string[]) => ({
  kubeconfig: cluster.kubeconfig,
  object: proxySlice(NS, addresses, 3128),
})
const look = (want: ReturnType<typeof wantOf>) => endpointSliceKind.read(want, cluster.clients, report())
const changeOf = async (want: ReturnType<typeof wantOf>) => endpointSliceKind.diff(want, await look(want))
const make = async (want: ReturnType<typeof wantOf>) =>
  endpointSliceKind.apply(want, cluster.clients, await look(want), report())
/** As the health loop does. */
const mark = (at: number, ready: boolean) =>
  cluster.kube.patch(
    id,
    { json: [{ op: 'add', path: `/endpoints/${at}/conditions/ready`, value: ready }] },
    { manager: 'egress-health' },
  )
const endpoints = async () =>
  (
    (await cluster.kube.get<KubeObject>(id))?.endpoints as { addresses: string[]; conditions: { ready: boolean } }[]
  )?.map(it => `${it.addresses[0]} ${it.conditions.ready}`)

test('what the health loop says stays, and is no drift', async () => {
  const want = wantOf(first, second)
  assert.is((await changeOf(want))?.action, 'create')
  await make(want)
  assert.is(await changeOf(want), null)
  await mark(0, false)
  assert.is(await changeOf(want), null)
  await make(want)
  assert.equal(await endpoints(), [`${first} false`, `${second} true`])
})

test('another list of proxies is taken, each in the condition it is in; undo brings the first list back', async () => {
  const want = wantOf(second, third, first)
  assert.is((await changeOf(want))?.action, 'update')
  const before = await look(want)
  const now = await make(want)
  assert.equal(await endpoints(), [`${second} true`, `${third} true`, `${first} false`])
  await mark(1, false)
  await mark(2, true)
  for (let time = 0; time < 2; time++) {
    await endpointSliceKind.undo?.(want, cluster.clients, before, now, report())
    assert.equal(await endpoints(), [`${first} true`, `${second} true`], 'as it is now, not as it was')
  }
})

test('a mark for draining is nobody else’s business', async () => {
  const want = wantOf(first, second)
  const annotations = { [drainMark(first)]: 'now' }
  await cluster.kube.patch(id, { merge: { metadata: { annotations } } }, { manager: 'kapsule-egress-drain' })
  assert.is(await changeOf(want), null)
  await make(want)
  assert.equal((await cluster.kube.get(id))?.metadata.annotations, annotations)
})

test('undo of what was made takes it away, twice', async () => {
  const want = wantOf(first, second)
  const now = await look(want)
  for (let time = 0; time < 2; time++) await endpointSliceKind.undo?.(want, cluster.clients, null, now, report())
  assert.is(await cluster.kube.get(id), null)
})

test('every other object is taken by the cluster as it is, and a second look finds nothing to do', async () => {
  const loop = { tenant: 'client-a', namespace: NS, pool: 'a-pool', addresses: [first, second], port: 3128 }
  const { rights, deployment } = healthLoop({ ...loop, ask: 'http://proxy-health.invalid/' })
  for (const object of [proxyService(NS, 3128), ...rights, deployment]) {
    const want = { kubeconfig: cluster.kubeconfig, object }
    await manifestKind.apply(want, cluster.clients, null, report())
    assert.is(manifestKind.diff(want, await manifestKind.read(want, cluster.clients, report())), null, object.kind)
  }
})

test('the loop may patch one slice, runs as nobody, and cannot write but its pulse', () => {
  const { rights, deployment } = healthLoop({
    ...{ tenant: 'a', namespace: NS, pool: 'a', addresses: [first], port: 3128, ask: 'http://x.invalid/' },
  })
  const role = rights.find(it => it.kind === 'Role')
  assert.equal(role?.rules, [
    {
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
      verbs: ['patch'],
      resourceNames: ['egress-proxy'],
    },
  ])
  const text = JSON.stringify(deployment)
  for (const it of [
    '"runAsNonRoot":true',
    '"readOnlyRootFilesystem":true',
    '"drop":["ALL"]',
    '"allowPrivilegeEscalation":false',
    '"replicas":2',
  ])
    assert.ok(text.includes(it), it)
  assert.not.match(text, /hostNetwork|hostPath|privileged/)
})

const one = '  proxy: { name: proxy-client-a, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.8 }'
const several = one.replace('proxy: {', 'proxies:\n    - {')
const rolledOut = async (root: string) => {
  const context = await loadContext('sandbox', { root, env: {} })
  const { phases } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  const all = phases.flatMap(it => it.desired)
  const of = (id: string) => all.find(it => it.id === id)?.want as { object?: KubeObject; env?: object[] } | undefined
  return { ids: all.map(it => it.id), of }
}

test('one proxy: its address and nothing else; several: a name, and a policy for each', async () => {
  const alone = await rolledOut(join(import.meta.dirname, '../..'))
  assert.not(alone.ids.some(it => /Service|slice|health/i.test(it)))
  const second = one.replace('  proxy: {', '    - {').replace('proxy-client-a,', 'proxy-two,').replace('28.8', '28.18')
  const both = await rolledOut(changed({ 'tenants/client-a.yaml': [[one, `${several}\n${second}`]] }))
  const more = both.ids.filter(it => !alone.ids.includes(it))
  assert.equal(more, [
    'kube-object/Service client-a-demo/egress-proxy',
    'kube-object/ServiceAccount client-a-demo/egress-proxy-health',
    'kube-object/Role client-a-demo/egress-proxy-health',
    'kube-object/RoleBinding client-a-demo/egress-proxy-health',
    'kube-object/PodDisruptionBudget client-a-demo/egress-proxy-health',
    'kube-endpoint-slice/client-a-demo/egress-proxy',
    'kube-object/Deployment client-a-demo/egress-proxy-health',
  ])
  const env = both.of('workload-egress/client-a-demo/curl-demo')?.env as { name: string; value: string }[]
  assert.is(env.find(it => it.name === 'https_proxy')?.value, 'http://egress-proxy:3128')
  const policy = JSON.stringify(both.of('kube-object/NetworkPolicy client-a-demo/egress-by-proxy')?.object?.spec)
  for (const address of ['172.16.28.8', '172.16.28.18'])
    assert.ok(policy.includes(`{"to":[{"ipBlock":{"cidr":"${address}/32"}}],"ports":[{"protocol":"TCP","port":3128}]}`))
})
