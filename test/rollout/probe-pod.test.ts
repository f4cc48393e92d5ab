import * as assert from 'uvu/assert'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { createProbes, noLogs } from '../../src/rollout/probe.ts'
import { createProber, PROBE_LABEL, probePodFor, sweepProbes } from '../../src/rollout/probe-pod.ts'
import type { Pod } from '../../src/rollout/workload.ts'
import { suite } from '../support/suite.ts'
import { startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout/probe-pod')

const NS = 'distroless'
const image = 'curlimages/curl:8.11.1'
let cluster: Awaited<ReturnType<typeof startCluster>>

before(async () => {
  cluster = await startCluster()
  await cluster.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
})
after(() => cluster?.close())

const app = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'app-5d4f-x',
    namespace: NS,
    uid: '0123456789ab',
    labels: { app: 'app', egress: 'external', 'pod-template-hash': '5d4f', 'app.kubernetes.io/managed-by': 'Helm' },
  },
  spec: {
    nodeName: 'node-1',
    serviceAccountName: 'app',
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
    volumes: [{ name: 'data', emptyDir: {} }, { name: 'proxy', secret: { secretName: 'certificate' } }], // biome-ignore format: short
    containers: [
      {
        name: 'app',
        env: [
          { name: 'http_proxy', value: 'http://172.16.28.8:3128' },
          { name: 'NO_PROXY', value: 'localhost' },
          { name: 'DATABASE_PASSWORD', value: 'secret' },
        ],
        volumeMounts: [{ name: 'data', mountPath: '/data' }, { name: 'proxy', mountPath: '/etc/egress-proxy' }], // biome-ignore format: short
      },
    ],
  },
} as unknown as Pod

test('it goes the way of the pod that it stands in for, and is taken for no one else', () => {
  const { metadata, spec } = probePodFor(app, { run: '20261121T041530-7f3a', image })
  const made = spec as Record<string, unknown> & { containers: Record<string, unknown>[] }
  assert.equal(metadata.labels, {
    app: 'app',
    egress: 'external',
    'app.kubernetes.io/managed-by': 'kapsule-egress',
    [PROBE_LABEL]: '20261121T041530-7f3a',
  })
  assert.equal(metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Pod', name: 'app-5d4f-x', uid: '0123456789ab' }])
  const { nodeName, serviceAccountName, tolerations, dnsConfig } = app.spec as unknown as Record<string, unknown>
  assert.equal(
    [made.nodeName, made.serviceAccountName, made.tolerations, made.dnsConfig],
    [nodeName, serviceAccountName, tolerations, dnsConfig],
  )
  assert.equal(
    (made.containers[0]!.env as { name: string }[]).map(it => it.name),
    ['http_proxy', 'NO_PROXY'],
  )
  assert.equal(made.volumes, [{ name: 'proxy', secret: { secretName: 'certificate' } }])
  assert.equal(made.containers[0]?.volumeMounts, [{ name: 'proxy', mountPath: '/etc/egress-proxy' }])
})

test('a DaemonSet does not adopt it', () => {
  const owner = (kind: string) => [{ apiVersion: 'apps/v1', kind, name: 'app', uid: 'u', controller: true }]
  const controlled = (kind: string) => {
    const pod = { ...app, metadata: { ...app.metadata, ownerReferences: owner(kind) } }
    return probePodFor(pod, { run: 'r', image }).metadata.ownerReferences?.map(it => [it.kind, it.controller])
  }
  assert.equal(controlled('DaemonSet'), [['Pod', true]])
  assert.equal(controlled('StatefulSet'), [['Pod', undefined]])
})

test('its security context is what the level "restricted" asks for', () => {
  const spec = probePodFor(app, { run: 'r', image }).spec as Record<string, unknown> & { containers: object[] }
  assert.equal(spec.securityContext, { runAsNonRoot: true, runAsUser: 100, seccompProfile: { type: 'RuntimeDefault' } })
  const { securityContext } = spec.containers[0] as { securityContext: object }
  const want = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
  assert.equal(securityContext, want)
  assert.is(spec.automountServiceAccountToken, false)
  assert.not('hostNetwork' in spec)
})

const labels = { 'app.kubernetes.io/name': 'web' }
const web: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: NS },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        nodeSelector: { 'node-pool': 'a-pool' },
        tolerations: [{ key: 'node-role.kubernetes.io/client-a', operator: 'Exists' }],
        containers: [{ name: 'web', image: 'distroless' }],
      },
    },
  },
}

const podsIn = async (selector: string) =>
  (await cluster.kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace: NS, labelSelector: selector })).items

const soon = async (what: string, isSo: () => Promise<boolean>) => {
  for (let n = 0; n < 200; n++) {
    if (await isSo()) return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error(`it did not come to this: ${what}`)
}

test('pods without curl are asked by one pod each, which nobody adopts or serves by, and which goes', async () => {
  await cluster.kube.apply(web)
  const service = { selector: labels, ports: [{ port: 80, targetPort: 8080 }] }
  await cluster.kube.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: NS },
    spec: service,
  })
  await soon(
    'two pods run',
    async () => (await podsIn('app.kubernetes.io/name')).filter(it => it.status?.podIP).length === 2,
  )
  const tried: string[] = []
  cluster.pods.commands.run = (pod, [program]) => {
    tried.push(pod.name)
    return pod.name.startsWith('egress-probe-') ? { code: 0, stdout: `${program} ran` } : { code: 127 }
  }
  const told: string[] = []
  const prober = createProber(cluster.kube, { run: 'run-0001', image, onMake: it => told.push(it.pod) })
  const probes = createProbes(cluster.kube, { ...noLogs, prober })
  const pods = await podsIn('app.kubernetes.io/name')
  for (let n = 0; n < 2; n++) {
    const answers = await Promise.all(pods.map(it => probes.curl(it, ['http://echo.example/'])))
    assert.equal(answers, [{ code: 0, stdout: 'curl ran', stderr: '' }, { code: 0, stdout: 'curl ran', stderr: '' }]) // biome-ignore format: short
  }
  assert.is(tried.filter(it => !it.startsWith('egress-probe-')).length, 2, 'what has no curl is tried once')

  const stands = await podsIn(PROBE_LABEL)
  assert.is(stands.length, 2)
  assert.equal(told.sort(), stands.map(it => it.metadata.name).sort())
  assert.equal(new Set(stands.map(it => it.metadata.ownerReferences?.[0]?.kind)), new Set(['Pod']))
  const slices = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: NS }
  type Slice = { endpoints: { conditions: { ready: boolean }; targetRef?: { name: string } }[] }
  const [slice] = (await cluster.kube.list<Slice>(slices)).items
  const ready = slice?.endpoints.filter(it => it.conditions.ready).map(it => it.targetRef?.name)
  assert.equal(
    ready?.filter(it => it?.startsWith('egress-probe-')),
    [],
  )
  assert.is((await podsIn('pod-template-hash')).length, 2, 'no pod of the workload had to go')

  await prober.close()
  await soon('the probe pods are gone', async () => (await podsIn(PROBE_LABEL)).length === 0)
  assert.is((await podsIn('pod-template-hash')).length, 2)
})

test('what a killed run left is found by its label, and what this run made is not', async () => {
  const [pod] = await podsIn('pod-template-hash')
  const left = createProber(cluster.kube, { run: 'run-0002', image })
  const mine = createProber(cluster.kube, { run: 'run-0003', image })
  await Promise.all([left.for(pod!), mine.for(pod!)])
  const swept = await sweepProbes(cluster.kube, NS, 'run-0003')
  assert.equal(swept, [`egress-probe-${pod?.metadata.uid?.slice(0, 8)}-0002`])
  await soon('one is left', async () => (await podsIn(PROBE_LABEL)).length === 1)
  assert.equal(await sweepProbes(cluster.kube, NS, 'run-0003'), [])
  await mine.close()
  await soon('none is left', async () => (await podsIn(PROBE_LABEL)).length === 0)
})

test('it goes with the pod that it stands in for', async () => {
  const [pod] = await podsIn('pod-template-hash')
  await createProber(cluster.kube, { run: 'run-0004', image }).for(pod!)
  const { name, uid } = pod!.metadata
  await cluster.kube.delete(
    { apiVersion: 'v1', kind: 'Pod', namespace: NS, name },
    { ...(uid && { uid }), graceSeconds: 0 },
  )
  await soon('it is gone', async () => (await podsIn(PROBE_LABEL)).length === 0)
})

test('where no pod may be made, the gate says why', async () => {
  const quota = { hard: { pods: '0' } }
  const id = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: NS, name: 'none' }
  await cluster.kube.apply({ ...id, metadata: { name: 'none', namespace: NS }, spec: quota })
  cluster.pods.commands.run = () => ({ code: 127 })
  const [pod] = await podsIn('pod-template-hash')
  const prober = createProber(cluster.kube, { run: 'run-0005', image })
  const answer = await createProbes(cluster.kube, { ...noLogs, prober }).curl(pod!, [])
  assert.match(JSON.stringify(answer), /unheard.*egress-probe-.*quota/i)
  await prober.close()
  await cluster.kube.delete(id)
})
