import * as assert from 'uvu/assert'
import { judge } from '../../../src/rollout/gates/gate.ts'
import type { Verdict } from '../../../src/rollout/gates/measure.ts'
import { policyHolds } from '../../../src/rollout/gates/policy-holds.ts'
import type { Subject } from '../../../src/rollout/gates/subject.ts'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { proxyFiles } from '../../../src/rollout/manifests.ts'
import { createProbes, noLogs } from '../../../src/rollout/probe.ts'
import { createProber, PROBE_LABEL, probePodFor } from '../../../src/rollout/probe-pod.ts'
import type { Pod } from '../../../src/rollout/workload.ts'
import type { PodSpec } from '../../../src/sandbox/ports.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { startCluster } from '../cluster.ts'

const { test, before, after } = suite('rollout/gates: the policy, before anything moves')

const namespace = 'shop'
const OURS = '203.0.113.7'
const env = [{ name: 'http_proxy', value: 'http://172.16.28.8:3128' }]
const labels = { egress: 'external' }
const subject: Subject = {
  ...{ tenant: 'a', namespace, workload: { kind: 'Deployment', name: 'web' } },
  proxy: { address: '172.16.28.8', port: 3128 },
  proxies: [{ address: '172.16.28.8', port: 3128, publicIp: OURS }],
  echo: ['http://echo.example/'],
  forbidden: 'http://no.invalid/',
  ...{ allowed: [], inside: [] },
}

let cluster: Awaited<ReturnType<typeof startCluster>>
let held = new Set<string>()

before(async () => {
  cluster = await startCluster()
  cluster.pods.setPolicies = async (_, firewalls) => {
    held = new Set(firewalls.filter(it => it.egress).map(it => it.podIp))
  }
  const { kube } = cluster
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const policy = { podSelector: { matchLabels: labels }, policyTypes: ['Egress'], egress: [] }
  await kube.create({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'egress', namespace } },
    spec: policy,
  } as unknown as KubeObject)
  const app = { app: 'web' }
  const spec = { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'i', command: ['sleep', '1'] }] } // biome-ignore format: short
  const template = { metadata: { labels: app }, spec }
  await kube.create({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace } },
    spec: { replicas: 1, selector: { matchLabels: app }, template },
  } as unknown as KubeObject)
  assert.ok(await until(async () => (await pods('app=web')).some(it => it.spec.nodeName), 60), 'web is placed')
})
after(() => cluster?.close())

const pods = async (labelSelector: string): Promise<Pod[]> =>
  (await cluster.kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector })).items

type Answer = { code: number; stdout: string }
const ways = {
  direct: (pod: PodSpec): Answer => (held.has(pod.ip) ? { code: 28, stdout: '0.000000' } : { code: 0, stdout: '0.01' }),
  proxy: (): Answer => ({ code: 0, stdout: OURS }),
  forbidden: (): Answer => ({ code: 0, stdout: '403 000' }),
  inside: (): Answer => ({ code: 0, stdout: '401 000' }),
}

/** Asks once; what became of it, who was asked, and what was made. */
const tried = async (otherwise: Partial<typeof ways> = {}) => {
  const way = { ...ways, ...otherwise }
  const asked = new Set<string>()
  const variables = new Set<string | undefined>()
  cluster.pods.commands.run = (pod, command) => {
    asked.add(pod.name)
    variables.add(pod.containers[0]?.env.http_proxy)
    const { hostname } = new URL(command.at(-1)!)
    if (hostname.endsWith('.svc')) return way.inside()
    if (hostname.endsWith('no.invalid')) return way.forbidden()
    return command.includes('*') ? way.direct(pod) : way.proxy()
  }
  const made: string[] = []
  const prober = createProber(cluster.kube, { run: 'run-0001', image: 'curl', onMake: it => made.push(it.pod) })
  const line = { time: 0, tenant: 'a', verdict: 'allowed', egress: OURS, client: '', host: 'echo.example' }
  const probes = createProbes(cluster.kube, {
    ...noLogs,
    ...{ prober, moved: () => ({ labels, env }) },
    auditLog: async needle => [needle],
    witnessed: async (mark, n) => Array.from({ length: n }, (_, at) => ({ ...line, agent: `${mark}-${at}-` })),
  })
  const { signal } = new AbortController()
  let verdict: Verdict
  try {
    verdict = await judge({ ...policyHolds, interval: '0s' }, subject, probes, { signal })
  } finally {
    await prober.close()
  }
  return { verdict, asked: [...asked], variables: [...variables], made, left: (await pods(PROBE_LABEL)).length }
}

test('a pod of ours with label and variables is held, gets out by the proxy alone, and goes', async () => {
  const { verdict, asked, variables, made, left } = await tried()
  assert.equal(verdict, { verdict: 'pass' })
  assert.is(made.length, 1)
  assert.equal(asked, made, 'nobody else is asked')
  assert.equal(variables, [env[0]!.value])
  assert.match(made[0]!, /^egress-probe-.*-moved$/)
  assert.is(left, 0)
})

for (const { when, otherwise, says } of [
  {
    when: 'it gets out past the proxy',
    otherwise: { direct: () => ({ code: 0, stdout: '0.01' }) },
    says: /^fail direct access is blocked: egress-probe-.*connected without the proxy/,
  },
  {
    when: 'it is seen with another address',
    otherwise: { proxy: () => ({ code: 0, stdout: '198.51.100.1' }) },
    says: /^fail egress address is the tenant's own: .*seen as 198.51.100.1/,
  },
  {
    when: 'what is forbidden answers',
    otherwise: { forbidden: () => ({ code: 0, stdout: '200 000' }) },
    says: /^fail a forbidden destination is refused and logged: .*answered 200/,
  },
  {
    when: 'names do not resolve any more',
    otherwise: { inside: () => ({ code: 6, stdout: '' }) },
    says: /^fail DNS and in-cluster traffic work: .*does not resolve/,
  },
  {
    when: 'the image that asks has no curl',
    otherwise: Object.fromEntries(Object.keys(ways).map(it => [it, () => ({ code: 127, stdout: '' })])),
    says: /^inconclusive .*has no curl/,
  },
])
  test(`${when}: nothing would move, and nothing is left`, async () => {
    const { verdict, made, left } = await tried(otherwise)
    assert.match(Object.values(verdict).join(' '), says)
    assert.equal([made.length, left], [1, 0])
  })

test('no pod may be made: nobody knows', async () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'none' }
  await cluster.kube.create({ ...quota, metadata: { name: 'none', namespace }, spec: { hard: { pods: '0' } } })
  const { verdict } = await tried()
  assert.match(JSON.stringify(verdict), /inconclusive.*exceeded quota/)
  await cluster.kube.delete(quota)
})

test('a workload without pods says nothing', async () => {
  const nobody = { ...subject, workload: { kind: 'CronJob' as const, name: 'nightly' } }
  const { verdict } = await policyHolds.ask(nobody, createProbes(cluster.kube, noLogs), new Map())
  assert.is(verdict, 'inconclusive')
})

test('what nobody heard the answer of is there, and is asked', async () => {
  const [like] = await pods('app=web')
  const lost = { ...cluster.kube }
  let creates = 0
  const { refusal } = await import('../../../src/rollout/kube/problem.ts')
  lost.create = async (...given) => {
    creates++
    await cluster.kube.create(...given)
    throw refusal('create Pod', 'the API', 500, {})
  }
  const prober = createProber(lost, { run: 'run-0002', image: 'curl' })
  const stand = await prober.for(like!)
  assert.not('unheard' in stand)
  await prober.close()
  assert.equal([creates, (await pods(PROBE_LABEL)).length], [1, 0])
})

test('it gets the certificate that moved pods get', () => {
  const files = proxyFiles('keys')
  const like = { metadata: { name: 'web', namespace, uid: '0123456789' }, spec: { containers: [{ name: 'c' }] } }
  const { spec } = probePodFor(like as Pod, { run: 'run-0001', image: 'curl', moved: { labels, env, files } })
  const { volumes, containers } = spec as unknown as { volumes: unknown[]; containers: { volumeMounts: unknown[] }[] }
  assert.equal([volumes, containers[0]!.volumeMounts], [[files.volume], [files.mount]])
})
