import * as assert from 'uvu/assert'
import { inconclusive, pass } from '../../src/rollout/gates/measure.ts'
import { podsReady } from '../../src/rollout/gates/pods-ready.ts'
import type { Subject } from '../../src/rollout/gates/subject.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { EGRESS_LABEL } from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import { createProbes, noLogs } from '../../src/rollout/probe.ts'
import { isReady, type Pod, type WorkloadRef } from '../../src/rollout/workload.ts'
import { workloadEgressKind } from '../../src/rollout/workload-egress.ts'
import { kindOf, readRollout } from '../../src/rollout/workloads/read.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { report, startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout/other-kinds')

const NS = 'shop'
let cluster: Awaited<ReturnType<typeof startCluster>>

before(async () => {
  cluster = await startCluster()
  await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
})
after(() => cluster.close())

const spec = { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'i', command: ['sleep', '1'] }] }
const template = (app: string, more: object = {}) => ({ metadata: { labels: { app } }, spec: { ...spec, ...more } })
const selected = (app: string) => ({ selector: { matchLabels: { app } }, template: template(app) })

/** An owner's object, made by another manager than ours. */
const given = (kind: WorkloadRef['kind'], name: string, spec: object): Promise<KubeObject> => {
  const { apiVersion } = kindOf({ kind })
  const object = { apiVersion, kind, metadata: { name, namespace: NS, labels: { app: name } }, spec }
  return cluster.kube.create(object as unknown as KubeObject, { manager: 'owner' })
}

const wantOf = (kind: WorkloadRef['kind'], name: string) => ({
  ...{ kubeconfig: cluster.kubeconfig, namespace: NS, kind, name, label: EGRESS_LABEL, containers: 'all' as const },
  env: proxyEnv(
    { address: '172.16.28.8', port: 3128 },
    noProxy({ services: '10.32.0.0/20', pods: '100.64.0.0/15', private: [] }),
  ),
  waitSeconds: 60,
})
type Wanted = ReturnType<typeof wantOf>
const look = (want: Wanted) => workloadEgressKind.read(want, cluster.clients, report())
const rolloutOf = (want: Wanted) => readRollout(cluster.kube, want)
const ready = async (want: Wanted, count: number) => {
  const isSo = async () => {
    const { current = [], old = [] } = (await rolloutOf(want)) ?? {}
    const up = current.filter(it => it.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'True'))
    return old.length === 0 && up.length === count
  }
  assert.ok(await until(isSo, 60), `${want.kind} has ${count} ready pods`)
}
const essence = async ({ kind, namespace, name }: Wanted) => {
  const { apiVersion } = kindOf({ kind })
  const { metadata, spec } = (await cluster.kube.get({ apiVersion, kind, namespace, name }))!
  return JSON.parse(JSON.stringify({ labels: metadata.labels, spec }))
}
const labelled = (pods: Pod[] = []) =>
  pods.filter(it => it.metadata.labels?.egress === 'external').map(it => it.metadata.name)
const move = async (want: Wanted) => {
  const before = await look(want)
  const now = await workloadEgressKind.apply(want, cluster.clients, before, report())
  return async () => workloadEgressKind.undo?.(want, cluster.clients, before, now, report())
}
const labelsLeft = async (want: Wanted) => {
  const { current, old } = (await rolloutOf(want))!
  return labelled([...current, ...old])
}
const isThere = async (want: Wanted) => workloadEgressKind.diff(want, await look(want)) === null

for (const { kind, name, spec, pods, moved } of [
  {
    kind: 'StatefulSet',
    name: 'db',
    spec: { replicas: 3, serviceName: 'db', ...selected('db') },
    pods: 3,
    moved: ['db-0', 'db-1', 'db-2'],
  },
  { kind: 'DaemonSet', name: 'agent', spec: selected('agent'), pods: 1, moved: 1 },
] as const)
  test(`a ${kind} moves with all its pods, a second look finds nothing, and undo gives it back`, async () => {
    await given(kind, name, spec)
    const want = wantOf(kind, name)
    await ready(want, pods)
    const was = await essence(want)
    const undo = await move(want)
    assert.ok(await isThere(want))
    const now = labelled((await rolloutOf(want))?.current).sort()
    assert.equal(typeof moved === 'number' ? now.length : now, moved)
    await undo()
    await undo()
    assert.equal(await essence(want), was)
    await ready(want, pods)
    assert.equal(labelled((await rolloutOf(want))?.current), [])
  })

test('containers that come first, and those beside, leave by the proxy too', async () => {
  const first = { name: 'first', image: 'i', command: ['migrate'] }
  const beside = { name: 'beside', image: 'i', restartPolicy: 'Always' }
  const more = { template: template('staged', { initContainers: [first, beside] }) }
  await given('Deployment', 'staged', { replicas: 1, ...selected('staged'), ...more })
  const want = wantOf('Deployment', 'staged')
  await ready(want, 1)
  const was = await essence(want)
  const undo = await move(want)
  assert.ok(await isThere(want))
  const { metadata } = (await rolloutOf(want))!.current[0]!
  const own = [...cluster.pods.running.values()].find(it => it.uid === metadata.uid)!.containers
  assert.equal(
    own.map(it => [it.name, it.env.http_proxy]),
    ['c', 'first', 'beside'].map(it => [it, 'http://172.16.28.8:3128']),
  )
  await undo()
  assert.equal(await essence(want), was)
})

test('a StatefulSet moves down to its partition, and is then as wanted', async () => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }
  await given('StatefulSet', 'parted', { replicas: 3, serviceName: 'parted', updateStrategy, ...selected('parted') })
  const want = wantOf('StatefulSet', 'parted')
  await ready(want, 3)
  const undo = await move(want)
  assert.ok(await isThere(want))
  const { current, old } = (await rolloutOf(want))!
  assert.equal([labelled(current).sort(), old.map(it => it.metadata.name)], [['parted-1', 'parted-2'], ['parted-0']])
  await undo()
})

test('with OnDelete the template moves, and gates judge the pods whose owner let go of the old ones', async () => {
  const updateStrategy = { type: 'OnDelete' }
  await given('StatefulSet', 'kept', { replicas: 2, serviceName: 'kept', updateStrategy, ...selected('kept') })
  const want = wantOf('StatefulSet', 'kept')
  await ready(want, 2)
  const uids = async () => {
    const { current, old } = (await rolloutOf(want))!
    return [...current, ...old].map(it => it.metadata.uid).sort()
  }
  const before = await uids()
  const undo = await move(want)
  assert.ok(await isThere(want))
  assert.equal(await uids(), before, 'nobody deletes one here')
  const notes: string[] = []
  const probes = createProbes(cluster.kube, { ...noLogs, note: it => notes.push(it) })
  const subject = { namespace: NS, workload: want } as unknown as Subject
  const asked = () => podsReady.ask(subject, probes, new Map())
  const why = 'StatefulSet shop/kept has no pods to ask: 2 pods keep their earlier template until the owner renews them'
  assert.equal(await asked(), inconclusive(`${why} (kept-1, kept-0): kubectl -n shop delete pod kept-1`))
  const renew = async () => {
    await cluster.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: NS, name: 'kept-1' })
    const isNew = async () => {
      const { current, old } = (await rolloutOf(want))!
      return old.every(it => it.metadata.name !== 'kept-1') && current.some(it => it.metadata.name === 'kept-1' && isReady(it)) // biome-ignore format: one
    }
    assert.ok(await until(isNew, 60), 'kept-1 has the new template')
  }
  await renew()
  assert.equal(await asked(), pass)
  assert.equal(notes, ['1 pod keeps its earlier template until the owner renews it (kept-0)'])
  const thrown = await undo().catch(it => it)
  assert.match(thrown.why, /^1 pod keeps .*kept-1/)
  assert.is(thrown.next, 'kubectl -n shop delete pod kept-1; then run rollback.ts again')
  await renew()
  await undo()
  assert.equal(await labelsLeft(want), [])
})

test('what its owner does for the pods below a partition', async () => {
  const kept = async (name: string, updateStrategy: object) => {
    await given('StatefulSet', name, { replicas: 2, serviceName: name, updateStrategy, ...selected(name) })
    const want = wantOf('StatefulSet', name)
    await ready(want, 2)
    const undo = await move(want)
    const probes = createProbes(cluster.kube, noLogs)
    const text = await probes.lacksOwner?.({ namespace: NS, workload: want } as unknown as Subject)
    await undo()
    return text
  }
  const below = (partition: number) => ({ type: 'RollingUpdate', rollingUpdate: { partition } })
  const patch = (partition: number) => JSON.stringify({ spec: { updateStrategy: { rollingUpdate: { partition } } } })
  assert.is(
    await kept('all', below(5)),
    `2 pods keep their earlier template until the owner renews them (all-1, all-0): kubectl -n shop patch statefulset all -p '${patch(1)}'`,
  )
  assert.match((await kept('some', below(1))) ?? '', `kubectl -n shop patch statefulset some -p '${patch(0)}'`)
  assert.is(await kept('none', below(0)), null)
})

test('a CronJob has the label and the variables in what it starts next', async () => {
  const jobTemplate = {
    spec: {
      template: template('nightly', { restartPolicy: 'Never', initContainers: [{ name: 'first', image: 'i' }] }),
    },
  }
  await given('CronJob', 'nightly', { schedule: '0 3 * * *', jobTemplate })
  const want = wantOf('CronJob', 'nightly')
  const was = await essence(want)
  const undo = await move(want)
  assert.ok(await isThere(want))
  const { template: now } = (await rolloutOf(want))!
  assert.is(now.metadata?.labels?.egress, 'external')
  for (const it of [...now.spec.containers, ...(now.spec.initContainers ?? [])])
    assert.ok(
      it.env?.some(({ name }) => name === 'https_proxy'),
      it.name,
    )
  await undo()
  assert.equal(await essence(want), was)
})

test('a Job that was started is passed over, as it is', async () => {
  await given('Job', 'once', { template: template('once', { restartPolicy: 'Never' }) })
  const want = wantOf('Job', 'once')
  assert.ok(await isThere(want))
})

const proxied = { env: [{ name: 'http_proxy', value: 'http://own:3128' }] }
for (const { when, name, container, told } of [
  { when: 'without variables', name: 'plain', container: {}, told: ['http://172.16.28.8:3128', '.svc'] },
  { when: 'with its own', name: 'own', container: proxied, told: [] },
])
  test(`a moved pod made by hand, ${when}, is asked as its program would ask`, async () => {
    await given('Pod', name, { ...spec, containers: [{ ...spec.containers[0], ...container }] })
    const want = wantOf('Pod', name)
    await ready(want, 1)
    const commands: string[][] = []
    const notes: string[] = []
    cluster.pods.commands.run = (_, command) => {
      commands.push(command)
      return { code: 0 }
    }
    const moved = () => ({ labels: {}, env: proxyEnv({ address: '172.16.28.8', port: 3128 }, ['.svc']) })
    const probes = createProbes(cluster.kube, { ...noLogs, moved, note: it => notes.push(it) })
    const ask = async (...args: string[]) => {
      await probes.curl((await rolloutOf(want))!.current[0]!, args)
      return commands.pop()!
    }
    const wordsOf = (command: string[]) =>
      ['--proxy', '--noproxy'].flatMap(it => (command.includes(it) ? [command[command.indexOf(it) + 1]] : []))
    assert.equal(wordsOf(await ask('http://before')), [], 'it has not moved')
    const undo = await move(want)
    assert.equal(wordsOf(await ask('http://echo')), told)
    assert.is(notes.length, told.length > 0 ? 1 : 0, notes.join())
    const past = await ask('--noproxy', '*', 'http://echo')
    assert.is(past.lastIndexOf('*'), past.lastIndexOf('--noproxy') + 1, 'who asks past the proxy still does')
    assert.is(notes.length, told.length > 0 ? 1 : 0, notes.join())
    await undo()
  })

test('a pod made by hand takes the label, and gives it back', async () => {
  await given('Pod', 'shell', spec)
  const want = wantOf('Pod', 'shell')
  await ready(want, 1)
  const undo = await move(want)
  assert.ok(await isThere(want))
  assert.equal(labelled((await rolloutOf(want))?.current), ['shell'])
  await undo()
  assert.equal(labelled((await rolloutOf(want))?.current), [])
})

test('pods on the network of their nodes are refused, and nothing is written', async () => {
  await given('DaemonSet', 'hostly', { ...selected('hostly'), template: template('hostly', { hostNetwork: true }) })
  const want = wantOf('DaemonSet', 'hostly')
  const was = await essence(want)
  const thrown = await move(want).catch(it => it)
  assert.match(thrown.why, /use the network of their nodes/)
  assert.equal(await essence(want), was)
})
