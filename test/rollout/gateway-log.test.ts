import * as assert from 'uvu/assert'
import { gatewayLogs, searchGateway } from '../../src/rollout/gateway-pod/log.ts'
import { GATEWAY_NAMESPACE, gatewayLabels } from '../../src/rollout/gateway-pod/manifests.ts'
import { gatewayPods } from '../../src/rollout/gateway-pod/pods.ts'
import { namespace } from '../../src/rollout/manifests.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { startCluster } from './cluster.ts'

const { test, before, after } = suite('the audit log of pods', { seconds: 60 })
let cluster: Awaited<ReturnType<typeof startCluster>>
const { signal } = new AbortController()
const search = (needle: string, atLeast = 1, withinMs = 100) =>
  searchGateway(cluster.kube, 'client-a', 'egress-client-a.egress-system', { needle, atLeast, withinMs, signal })
const line = (mark: string, egress: string) =>
  `{"time":"2026-11-21T10:00:00.000Z","egress":"${egress}","agent":"${mark}"}`
let said: (pod: string, ip: string) => string

before(async () => {
  cluster = await startCluster()
  await cluster.kube.apply(namespace(GATEWAY_NAMESPACE))
  const { pods } = cluster
  pods.logs = async function* (uid) {
    const { name, ip } = pods.running.get(uid)!
    yield Buffer.from(said(name, ip))
  }
  for (const [name, tenant] of [
    ['a-1', 'client-a'],
    ['a-2', 'client-a'],
    ['b-1', 'client-b'],
  ] as const)
    await cluster.kube.create({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name, namespace: GATEWAY_NAMESPACE, labels: gatewayLabels(tenant) },
      spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'squid', image: 'x' }] },
    })
  const ready = async () => (await gatewayPods(cluster.kube, 'client-a')).filter(it => it.ready).length === 2
  assert.ok(await until(ready, 30))
})
after(() => cluster.close())

test('lines of all pods of the tenant, and nothing else that Squid says', async () => {
  said = name => `2026/11/21 10:00:00| Starting Squid\n${line(`of-${name}`, '-')}\nnoise\n`
  const logs = await gatewayLogs(cluster.kube, 'client-a')
  assert.equal(
    logs.map(({ pod, lines }) => [pod, lines]),
    [
      ['a-1', [line('of-a-1', '-')]],
      ['a-2', [line('of-a-2', '-')]],
    ],
  )
  assert.equal(await search('of-b-1'), [])
})

test("a pod's own address stands for what pods know the gateway by; another address is told as it is", async () => {
  said = (name, ip) => [line(`own ${name}`, ip), line('other', '10.9.9.9'), ''].join('\n')
  assert.equal(await search('own a-2'), [line('own a-2', 'egress-client-a.egress-system')])
  assert.equal((await search('other', 2))!.length, 2)
  assert.ok((await search('other', 2))!.every(it => it.includes('10.9.9.9')))
})

test('a line that comes late is waited for', async () => {
  let looks = 0
  said = () => (++looks > 4 ? line('late', '-') : '')
  assert.ok((await search('late', 1, 20_000))!.length > 0)
})

test('without pods nobody knows', async () => {
  assert.is(await searchGateway(cluster.kube, 'nobody', 'x', { needle: 'x', atLeast: 1, withinMs: 0, signal }), null)
})
