import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { gatesAt } from '../../src/rollout/gates/all.ts'
import { judge } from '../../src/rollout/gates/gate.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { manifestKind } from '../../src/rollout/manifest.ts'
import {
  DEMO_MANAGER,
  demoWorkload,
  EGRESS_LABEL,
  egressPolicy,
  namespace,
  proxyConfigMap,
} from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import { createProbes, egressAddress, noLogs } from '../../src/rollout/probe.ts'
import type { Workload } from '../../src/rollout/workload.ts'
import { workloadEgressKind } from '../../src/rollout/workload-egress.ts'
import { readRollout } from '../../src/rollout/workloads/read.ts'
import { suite } from '../support/suite.ts'
import { report, startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout/kinds')

const NS = 'a-demo'
const proxy = { address: '172.16.28.8', port: 3128 }
const ranges = { pods: '100.64.0.0/15', services: '10.32.0.0/20', dnsIp: '10.32.0.10' }
let cluster: Awaited<ReturnType<typeof startCluster>>

before(async () => {
  cluster = await startCluster()
  await make(namespace(NS))
})
after(() => cluster.close())

const make = async (object: KubeObject, manager?: string) => {
  const want = { kubeconfig: cluster.kubeconfig, object, ...(manager && { manager }) }
  const before = await manifestKind.read(want, cluster.clients, report())
  const told = report()
  const now = await manifestKind.apply(want, cluster.clients, before, told)
  return {
    want,
    before,
    now,
    told,
    change: async () => manifestKind.diff(want, await manifestKind.read(want, cluster.clients, report())),
    undo: () => manifestKind.undo?.(want, cluster.clients, before, now, report()),
  }
}

const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: NS, name })
const demo = (name: string, replicas = 1) =>
  make(demoWorkload({ tenant: 'client-a', namespace: NS, name, pool: 'a-pool', replicas }), DEMO_MANAGER)
const wantOf = (name: string, address = proxy.address) => ({
  kubeconfig: cluster.kubeconfig,
  namespace: NS,
  kind: 'Deployment' as const,
  name,
  label: EGRESS_LABEL,
  env: proxyEnv(
    { ...proxy, address },
    noProxy({ services: ranges.services, pods: ranges.pods, private: ['172.16.28.0/22'] }),
  ),
  containers: 'all' as const,
  waitSeconds: 20,
})
const look = (want: ReturnType<typeof wantOf>) => workloadEgressKind.read(want, cluster.clients, report())
const changeOf = async (want: ReturnType<typeof wantOf>) => workloadEgressKind.diff(want, await look(want))
const move = async (want: ReturnType<typeof wantOf>) => {
  const before = await look(want)
  const told = report()
  const now = await workloadEgressKind.apply(want, cluster.clients, before, told)
  const undo = () => workloadEgressKind.undo?.(want, cluster.clients, before, now, report())
  return { before, now, told, undo }
}
const problemOf = async (doing: Promise<unknown>): Promise<Problem> => {
  const thrown = await doing.then(() => null).catch(it => it)
  assert.instance(thrown, Problem, String(thrown?.stack ?? 'it should have thrown'))
  return thrown
}
/** What an owner would compare: labels, annotations they know, and the whole spec. */
const essence = async (name: string) => {
  const { metadata, spec } = (await cluster.kube.get<Workload>(deployment(name))) as Workload
  return { labels: metadata.labels, spec }
}
const rolloutOf = (name: string) => readRollout(cluster.kube, { kind: 'Deployment', namespace: NS, name })
const diffs = (change: { details?: { diff?: string }[] } | null) => (change?.details ?? []).map(it => it.diff)

test('our objects are made, and a second look finds nothing to do', async () => {
  for (const object of [proxyConfigMap({ namespace: NS }, proxy), egressPolicy({ namespace: NS }, [proxy], ranges)]) {
    const made = await make(object)
    assert.is(made.before, null)
    assert.is(manifestKind.diff(made.want, null)?.action, 'create')
    assert.is(await made.change(), null, object.kind)
  }
  assert.is(await (await make(namespace(NS))).change(), null)
})

test('a hand edit is named, shown and mended', async () => {
  const made = await make(proxyConfigMap({ namespace: NS, name: 'edited' }, proxy))
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NS, name: 'edited' }
  await cluster.kube.patch(id, { merge: { data: { PROXY_PORT: '9' } } }, { manager: 'kubectl-edit' })
  assert.equal(diffs(await made.change()), ['data.PROXY_PORT: 9 -> 3128 (changed by kubectl-edit)'])
  const mended = await make(made.want.object)
  assert.equal(mended.told.parts, [`ConfigMap ${NS}/edited: took data.PROXY_PORT back from kubectl-edit`])
  assert.is(await made.change(), null)
  await mended.undo()
  assert.equal((await cluster.kube.get(id))?.data, { PROXY_ADDRESS: proxy.address, PROXY_PORT: '9' })
})

test('what another manager applied is never taken', async () => {
  const object = proxyConfigMap({ namespace: NS, name: 'theirs' }, proxy)
  await cluster.kube.apply({ ...object, data: { PROXY_PORT: '9' } }, { manager: 'flux' })
  const problem = await problemOf(make(object))
  assert.match(problem.why, /\.data\.PROXY_PORT belongs to flux/)
  await make({ ...object, data: { PROXY_ADDRESS: 'x' } })
  assert.match((await problemOf(make(object))).why, /flux/)
})

test('a field that is wanted no more goes, and undo brings it back', async () => {
  const object = { ...proxyConfigMap({ namespace: NS, name: 'less' }, proxy), data: { a: '1', b: '2' } }
  await make(object)
  const less = { ...object, data: { a: '1' } }
  const want = { kubeconfig: cluster.kubeconfig, object: less }
  const change = manifestKind.diff(want, await manifestKind.read(want, cluster.clients, report()))
  assert.equal(diffs(change), ['data.b: 2 -> (absent)'])
  const made = await make(less)
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NS, name: 'less' }
  assert.equal((await cluster.kube.get(id))?.data, { a: '1' })
  await made.undo()
  await made.undo()
  assert.equal((await cluster.kube.get(id))?.data, { a: '1', b: '2' })
})

test('undo of what was made deletes it, twice; another object of that name stays', async () => {
  const made = await make(proxyConfigMap({ namespace: NS, name: 'brief' }, proxy))
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NS, name: 'brief' }
  await made.undo()
  assert.is(await cluster.kube.get(id), null)
  await made.undo()
  await cluster.kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'brief', namespace: NS } })
  await made.undo()
  assert.is((await cluster.kube.get(id))?.metadata.name, 'brief')
})

test('a namespace with the work of others is not deleted, one with ours is', async () => {
  const made = await make(namespace('shared-space'))
  const other = demoWorkload({ tenant: 'client-a', namespace: 'shared-space', name: 'theirs', pool: 'a-pool' })
  other.metadata.labels = {}
  await cluster.kube.create(other, { manager: 'kubectl-create' })
  assert.match((await problemOf(Promise.resolve(made.undo()))).why, /Deployment theirs/)
  await cluster.kube.delete({ ...deployment('theirs'), namespace: 'shared-space' })
  await made.undo()
  assert.is(await cluster.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'shared-space' }), null)
})

test('a Secret never gets near the journal', async () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: NS }, data: { a: 'eA==' } }
  assert.is((await problemOf(make(secret))).exit, 2)
})

test('a workload moves, a second look finds nothing, and undo returns it to what it was', async () => {
  const made = await demo('web', 2)
  assert.is(await made.change(), null)
  const was = await essence('web')
  const want = wantOf('web')
  assert.is((await changeOf(want))?.action, 'update')
  const { undo, now } = await move(want)
  assert.is(await changeOf(want), null)
  assert.is(await made.change(), null, 'the demo is as wanted with the way out on it')
  assert.is(now.label, 'external')
  const rollout = await rolloutOf('web')
  assert.is(rollout?.current.length, 2)
  assert.is(rollout?.old.length, 0)
  for (const pod of rollout?.current ?? []) {
    assert.is(pod.metadata.labels?.egress, 'external')
    const { env } = [...cluster.pods.running.values()].find(it => it.uid === pod.metadata.uid)?.containers[0] ?? {}
    assert.is(env?.http_proxy, 'http://172.16.28.8:3128')
  }
  await undo()
  assert.equal(await essence('web'), was)
  const back = await rolloutOf('web')
  assert.equal(
    back?.current.map(it => it.metadata.labels?.egress),
    [undefined, undefined],
  )
  const { generation } = (await cluster.kube.get(deployment('web')))?.metadata ?? {}
  await undo()
  assert.equal(await essence('web'), was)
  assert.is((await cluster.kube.get(deployment('web')))?.metadata.generation, generation, 'undone once')
})

test('undo knows what to give up when the run died in the middle', async () => {
  await demo('killed')
  const was = await essence('killed')
  const want = wantOf('killed')
  const before = await look(want)
  await workloadEgressKind.apply(want, cluster.clients, before, report())
  await workloadEgressKind.undo?.(want, cluster.clients, before, null, report())
  assert.equal(await essence('killed'), was)
})

test('a label taken off the template or off a pod is seen and put back', async () => {
  await demo('drift')
  const want = wantOf('drift')
  await move(want)
  const remove = { spec: { template: { metadata: { labels: { egress: 'internal' } } } } }
  await cluster.kube.patch(deployment('drift'), { strategic: remove }, { manager: 'kubectl-label' })
  assert.equal(diffs(await changeOf(want)), [
    'spec.template.metadata.labels.egress: internal -> external (changed by kubectl-label)',
  ])
  const { told, undo } = await move(want)
  assert.match(told.parts.join(), /took spec\.template\.metadata\.labels\.egress back from kubectl-label/)
  assert.is(await changeOf(want), null)
  await undo()
  assert.is((await look(want))?.label, 'internal', 'undo of the mending brings back what was found')
  await move(want)

  const [pod] = (await rolloutOf('drift'))?.current ?? []
  const id = { apiVersion: 'v1', kind: 'Pod', namespace: NS, name: pod?.metadata.name ?? '' }
  await cluster.kube.patch(id, { merge: { metadata: { labels: { egress: null } } } }, { manager: 'kubectl-label' })
  assert.equal(diffs(await changeOf(want)), [`pod ${id.name}: lost egress`])
  await move(want)
  assert.is((await cluster.kube.get(id))?.metadata.labels?.egress, 'external')
  assert.is(await changeOf(want), null)
})

test('a variable changed by hand is mended; one that others had first, or apply, is refused', async () => {
  await demo('env')
  const env = (value: string) => ({
    spec: { template: { spec: { containers: [{ name: 'curl', env: [{ name: 'HTTP_PROXY', value }] }] } } },
  })
  await cluster.kube.patch(deployment('env'), { strategic: env('http://own:1') }, { manager: 'kubectl-edit' })
  const want = wantOf('env')
  const refused = await problemOf(move(want))
  assert.match(refused.why, /HTTP_PROXY.* belongs to kubectl-edit/)
  assert.is((await look(want))?.label, null, 'nothing of it was applied')

  await demo('env2')
  const other = wantOf('env2')
  await move(other)
  await cluster.kube.patch(deployment('env2'), { strategic: env('http://own:1') }, { manager: 'kubectl-edit' })
  await move(other)
  assert.is(await changeOf(other), null)

  const theirs = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'env2', namespace: NS },
    ...env('http://flux:1'),
  }
  await cluster.kube.apply(theirs, { manager: 'flux', force: true })
  const conflict = await problemOf(move(other))
  assert.match(conflict.why, /HTTP_PROXY.* belongs to flux/)
})

test('another proxy replaces the first, and undo goes back to it', async () => {
  await demo('twice')
  await move(wantOf('twice'))
  const first = await essence('twice')
  const { undo } = await move(wantOf('twice', '172.16.28.9'))
  assert.is.not(JSON.stringify(await essence('twice')), JSON.stringify(first))
  await undo()
  assert.equal(await essence('twice'), first)
})

test('pods that crash end the move at once, with exit code and last lines, and undo works', async () => {
  await demo('fragile')
  const was = await essence('fragile')
  const want = { ...wantOf('fragile', 'crash-42'), waitSeconds: 200 }
  const before = await look(want)
  const start = Date.now()
  const problem = await problemOf(workloadEgressKind.apply(want, cluster.clients, before, report()))
  assert.match(problem.message, /new pods crash/)
  assert.match(problem.why, /exit code 42 .*connecting \| boom/)
  assert.ok(Date.now() - start < 100_000)
  await workloadEgressKind.undo?.(want, cluster.clients, before, null, report())
  assert.equal(await essence('fragile'), was)
})

test('a move that takes too long ends in its time, also where the clock is set back', async () => {
  await demo('late')
  const was = await essence('late')
  const want = { ...wantOf('late'), waitSeconds: 1 }
  const before = await look(want)
  const cordon = (unschedulable: boolean) =>
    cluster.kube.patch({ apiVersion: 'v1', kind: 'Node', name: 'node-1' }, { merge: { spec: { unschedulable } } })
  const { now } = Date
  const told = {
    ...report(),
    waiting() {
      Date.now = () => now() - 3_600_000
    },
    signal: AbortSignal.timeout(100_000),
  }
  await cordon(true)
  try {
    const problem = await problemOf(workloadEgressKind.apply(want, cluster.clients, before, told))
    assert.match(problem.message, /not rolled out within 1 s/)
  } finally {
    Date.now = now
    await cordon(false)
  }
  await workloadEgressKind.undo?.(wantOf('late'), cluster.clients, before, null, report())
  assert.equal(await essence('late'), was)
})

test('a workload that is not there is a create in the plan and a Problem when applied', async () => {
  const want = wantOf('absent')
  assert.is((await changeOf(want))?.action, 'create')
  assert.match((await problemOf(move(want))).message, /not found/)
})

test('gates look from inside the pods', async () => {
  await demo('gated', 2)
  await move(wantOf('gated'))
  const subject = {
    tenant: 'client-a',
    namespace: NS,
    workload: { kind: 'Deployment' as const, name: 'gated' },
    proxy,
    proxies: [{ ...proxy, publicIp: '203.0.113.7' }],
    echo: ['http://echo.example/'],
    forbidden: 'http://no.invalid/',
    allowed: [],
    inside: [],
  }
  const log: string[] = []
  const agents: string[] = []
  const line = {
    time: 0,
    tenant: 'client-a',
    verdict: 'allowed',
    egress: '203.0.113.7',
    client: '',
    host: 'echo.example',
  }
  cluster.pods.commands.run = (pod, command) => {
    const url = command.at(-1) ?? ''
    if (command[0] === 'cat') return { code: 1, stdout: '  sl  local_address rem_address   st\n' }
    if (url.includes('no.invalid')) {
      log.push(`DENIED ${url}`)
      return { code: 0, stdout: '403 000' }
    }
    if (url.includes('kubernetes')) return { code: 0, stdout: '401 000' }
    const direct = command[command.indexOf('--noproxy') + 1] === '*' && command.includes('--noproxy')
    if (direct) return { code: 28, stdout: '0.000000' }
    const marked = command.lastIndexOf('-A')
    if (marked > 0) agents.push(command[marked + 1] ?? '')
    return { code: 0, stdout: pod.containers[0]?.env.http_proxy ? '203.0.113.7\n' : '203.0.113.1\n' }
  }
  const probes = createProbes(cluster.kube, {
    here: noLogs.here,
    auditLog: async needle => log.filter(it => it.includes(needle)),
    seenFrom: async () => [],
    witnessed: async mark => agents.filter(it => it.startsWith(mark)).map(agent => ({ ...line, agent })),
  })
  const { signal } = new AbortController()
  for (const gate of [...gatesAt('gateway'), ...gatesAt('moved')]) {
    assert.equal(
      await judge(gate, subject, probes, { signal, sleep: async () => undefined }),
      { verdict: 'pass' },
      gate.name,
    )
  }
  assert.is(await egressAddress(cluster.kube, subject), '203.0.113.7')
  cluster.pods.commands.run = () => ({ code: 127 })
  assert.is(await egressAddress(cluster.kube, subject), null)
  const last = await judge(gatesAt('moved')[1]!, subject, probes, { signal, sleep: async () => undefined })
  assert.match(JSON.stringify(last), /inconclusive.*has no curl/)
})
