import * as assert from 'uvu/assert'
import type { KubeObject } from '../../../src/rollout/kube/object.ts'
import { enforcementFinding, type Proving, proveEnforcement } from '../../../src/rollout/preflight/enforcement.ts'
import { createProbes, noLogs } from '../../../src/rollout/probe.ts'
import { PROBE_LABEL } from '../../../src/rollout/probe-pod.ts'
import type { Pod } from '../../../src/rollout/workload.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { startCluster } from '../cluster.ts'

const { test, before, after } = suite('rollout/preflight: does the network hold pods')

const namespace = 'shop'
let cluster: Awaited<ReturnType<typeof startCluster>>
let like: Pod
/** Whether a pod gets out, by its address: those that a policy holds, and then that nobody does. */
let held = new Set<string>()

before(async () => {
  cluster = await startCluster()
  cluster.pods.setPolicies = async (_, firewalls) => {
    held = new Set(firewalls.filter(it => it.egress).map(it => it.podIp))
  }
  await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const id = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'web' }
  const spec = {
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name: 'c', image: 'i', command: ['sleep', '1'] }],
  }
  await cluster.kube.create({ ...id, metadata: { name: 'web', namespace, labels: { app: 'web' } }, spec } as KubeObject)
  const runs = async () => !!(await cluster.kube.get<Pod>(id))?.spec.nodeName
  assert.ok(await until(runs, 60), 'web is placed')
  like = (await cluster.kube.get<Pod>(id))!
})
after(() => cluster?.close())

const out = { code: 0, stdout: '0.012' }
const dropped = { code: 28, stdout: '0.000000' }

const proved = async (answer: (ip: string) => { code: number; stdout: string }, more: Partial<Proving> = {}) => {
  const asked: string[][] = []
  cluster.pods.commands.run = ({ ip }, command) => {
    asked.push(command)
    return answer(ip)
  }
  const made: string[] = []
  const verdict = await proveEnforcement(cluster.kube, like, createProbes(cluster.kube, noLogs), {
    ...{ run: '20261121T041530-7f3a', image: 'curlimages/curl', echo: ['http://echo.example/'], withinMs: 2000 },
    onMake: it => made.push(it.pod),
    ...more,
  })
  return { verdict, asked, made }
}

const left = async () => {
  const pods = await cluster.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: PROBE_LABEL })
  const walls = await cluster.kube.list({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace })
  return pods.items.length + walls.items.length
}

test('it gets out, and then a policy holds it: a pass, and nothing is left', async () => {
  const { verdict, asked, made } = await proved(ip => (held.has(ip) ? dropped : out), { withinMs: 60_000 })
  assert.equal(verdict, { verdict: 'pass' })
  assert.equal(made, ['egress-probe-wall-7f3a'])
  assert.ok(asked.every(it => it.join(' ').includes('--noproxy *')))
  assert.ok(await until(async () => (await left()) === 0, 60), 'nothing is left')
})

test('it gets out all the same: a stop that names it', async () => {
  const { verdict } = await proved(() => out)
  assert.is(verdict.verdict, 'fail')
  const [{ level, what, why } = { level: '', what: '', why: '' }] = enforcementFinding(namespace, verdict)
  assert.equal([level, what], ['stop', 'the network does not enforce NetworkPolicies'])
  assert.match(why, /egress-probe-wall-7f3a to http:\/\/echo.example\/: connected .*, 2 s after a policy forbade it/)
  assert.ok(await until(async () => (await left()) === 0, 60), 'nothing is left')
})

for (const { when, answer, why } of [
  { when: 'it never got out', answer: dropped, why: /gets nowhere, also without a policy/ },
  { when: 'no name resolves', answer: { code: 6, stdout: '' }, why: /curl exit 6/ },
])
  test(`${when}: nobody knows, which is a note`, async () => {
    const { verdict } = await proved(() => answer)
    const [{ level, why: said } = { level: '', why: '' }] = enforcementFinding(namespace, verdict)
    assert.is(level, 'note')
    assert.match(said, why)
    assert.ok(await until(async () => (await left()) === 0, 60), 'nothing is left')
  })

test('no pod may be made: nobody knows', async () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'none' }
  await cluster.kube.create({ ...quota, metadata: { name: 'none', namespace }, spec: { hard: { pods: '0' } } })
  const { verdict } = await proved(() => out)
  assert.match(JSON.stringify(verdict), /inconclusive.*exceeded quota/)
  await cluster.kube.delete(quota)
})
