import * as assert from 'uvu/assert'
import type { Kube } from '../../src/rollout/kube/kube.ts'
import { rolloutState } from '../../src/rollout/rollout-state.ts'
import { selectWorkloads } from '../../src/rollout/selection.ts'
import { calledAs, type Pod, type Workload, type WorkloadRef } from '../../src/rollout/workload.ts'
import { kindOf } from '../../src/rollout/workloads/read.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/workloads')

const owner = (kind: string, name: string) => [{ apiVersion: 'v1', kind, name, uid: `uid-${name}`, controller: true }]

/** Labels that say which template a pod has, as controllers put them. */
const pod = (
  name: string,
  kind: string,
  of: string,
  { hash = '', ready = true, restarts = 0, labels = {} } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'n',
    ownerReferences: owner(kind, of),
    labels: { ...labels, ...(hash && { 'controller-revision-hash': hash }) },
  },
  spec: { containers: [{ name: 'c' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', ready, restartCount: restarts }],
  },
})

const workload = (kind: string, name: string, spec: object, status: object = {}): Workload => ({
  apiVersion: kindOf({ kind } as WorkloadRef).apiVersion,
  kind,
  metadata: { name, namespace: 'n', uid: `uid-${name}`, generation: 2 },
  spec: { selector: { matchLabels: { app: name } }, ...spec },
  status: { observedGeneration: 2, ...status },
})

/** A cluster that has these objects, and takes selectors of equal labels. */
const cluster = (...objects: { kind: string; metadata: Pod['metadata'] }[]) => {
  const list: Kube['list'] = async <T>({ kind, labelSelector = '' }: Parameters<Kube['list']>[0]) => {
    const wanted = labelSelector.split(',').filter(it => it !== '')
    const isWanted = ({ metadata: { labels = {} } }: (typeof objects)[number]) =>
      wanted.every(it => labels[it.split('=')[0]!] === it.split('=')[1])
    return { items: objects.filter(it => it.kind === kind && isWanted(it)) as unknown as T[], resourceVersion: '1' }
  }
  return { list } as unknown as Kube
}

const stateOf = async (of: Workload, ...objects: Parameters<typeof cluster>) => {
  const kind = kindOf({ kind: of.kind } as WorkloadRef)
  const pods = await kind.pods(cluster(...objects), of)
  const state = rolloutState({ workload: of, of: kind, ...pods }, new Map())
  return { state, settled: kind.settled(of), current: pods.current.map(it => it.metadata.name) }
}

const db = (spec: object, status: object = {}) =>
  workload('StatefulSet', 'db', { replicas: 3, ...spec }, { updateRevision: 'b', ...status })
const dbPod = (at: number, hash: string, more = {}) =>
  pod(`db-${at}`, 'StatefulSet', 'db', { hash, labels: { app: 'db' }, ...more })
const partition = (at: number) => ({ updateStrategy: { rollingUpdate: { partition: at } } })

for (const { when, spec = {}, pods, state } of [
  { when: 'all have it', pods: [dbPod(0, 'b'), dbPod(1, 'b'), dbPod(2, 'b')], state: 'done' },
  { when: 'the last has it', pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'b')], state: 'waiting' },
  {
    when: 'the new one is not ready',
    pods: [dbPod(0, 'b'), dbPod(1, 'b'), dbPod(2, 'b', { ready: false })],
    state: 'waiting',
  },
  {
    when: 'the new one crashes',
    pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'b', { ready: false, restarts: 2 })],
    state: 'crashed',
  },
  {
    when: 'those above the partition have it',
    spec: partition(2),
    pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'b')],
    state: 'done',
  },
  {
    when: 'one above the partition lacks it',
    spec: partition(1),
    pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'b')],
    state: 'waiting',
  },
  {
    when: 'pods are numbered from five, and those above the partition have it',
    spec: { ordinals: { start: 5 }, ...partition(2) },
    pods: [dbPod(5, 'a'), dbPod(6, 'a'), dbPod(7, 'b')],
    state: 'done',
  },
  {
    when: 'the partition is above all',
    spec: partition(9),
    pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'a')],
    state: 'done',
  },
  {
    when: 'a person deletes pods',
    spec: { updateStrategy: { type: 'OnDelete' } },
    pods: [dbPod(0, 'a'), dbPod(1, 'a'), dbPod(2, 'a')],
    state: 'done',
  },
  {
    when: 'an old pod crashes, for which the controller waits',
    pods: [dbPod(0, 'b'), dbPod(1, 'b'), dbPod(2, 'a', { ready: false, restarts: 5 })],
    state: 'stuck',
  },
  {
    when: 'an old pod crashes, and the controller does not wait',
    spec: { podManagementPolicy: 'Parallel' },
    pods: [dbPod(0, 'b'), dbPod(1, 'b'), dbPod(2, 'a', { ready: false, restarts: 5 })],
    state: 'waiting',
  },
  { when: 'it has no pods to have', spec: { replicas: 0 }, pods: [], state: 'done' },
])
  test(`a StatefulSet where ${when}: ${state}`, async () => {
    assert.is((await stateOf(db(spec), ...pods)).state.state, state)
  })

test('a StatefulSet that waits for a broken pod names it, and who may end that', async () => {
  const { state } = await stateOf(db({}), dbPod(2, 'a', { ready: false, restarts: 5 }))
  assert.match(JSON.stringify(state), /pod db-2 of an earlier template crashes.*kubectl -n n delete pod db-2/)
})

test('an OnDelete StatefulSet is settled as it is, one below its partition too', async () => {
  assert.ok((await stateOf(db({ updateStrategy: { type: 'OnDelete' } }))).settled)
  assert.ok((await stateOf(db(partition(2), { updatedReplicas: 1 }))).settled)
  assert.not.ok((await stateOf(db(partition(1), { updatedReplicas: 1 }))).settled)
})

const revision = (name: string, number: number) => ({
  kind: 'ControllerRevision',
  metadata: {
    name,
    ownerReferences: owner('DaemonSet', 'agent'),
    labels: { app: 'agent', 'controller-revision-hash': name },
  },
  revision: number,
})
const agent = (status: object, spec: object = {}) => workload('DaemonSet', 'agent', spec, status)
const agentPod = (name: string, hash: string, more = {}) =>
  pod(name, 'DaemonSet', 'agent', { hash, labels: { app: 'agent' }, ...more })
const revisions = [revision('new', 10), revision('old', 9)]
const full = { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }

for (const { when, status = full, spec = {}, pods, state } of [
  { when: 'each node has it', pods: [agentPod('x', 'new'), agentPod('y', 'new')], state: 'done' },
  {
    when: 'a node lacks it',
    status: { ...full, updatedNumberScheduled: 1 },
    pods: [agentPod('x', 'new'), agentPod('y', 'old')],
    state: 'waiting',
  },
  { when: 'the new pod crashes', pods: [agentPod('x', 'new', { ready: false, restarts: 2 })], state: 'crashed' },
  {
    when: 'the old pod crashes',
    status: { ...full, updatedNumberScheduled: 1 },
    pods: [agentPod('y', 'old', { ready: false, restarts: 2 })],
    state: 'waiting',
  },
  {
    when: 'a person deletes pods',
    spec: { updateStrategy: { type: 'OnDelete' } },
    pods: [agentPod('x', 'old')],
    state: 'done',
  },
])
  test(`a DaemonSet where ${when}: ${state}`, async () => {
    assert.is((await stateOf(agent(status, spec), ...revisions, ...pods)).state.state, state)
  })

test('a CronJob is moved at once: Jobs that run keep what they have, and are told apart', async () => {
  const template = (labels: object, value: string) => ({
    metadata: { labels },
    spec: { containers: [{ name: 'c', env: [{ name: 'HTTP_PROXY', value }] }] },
  })
  const nightly = workload('CronJob', 'nightly', {
    selector: undefined, // it has none
    jobTemplate: { spec: { template: template({ egress: 'external' }, 'p') } },
  })
  const job = (name: string, labels: object, value: string) => {
    const it = workload('Job', name, { template: template(labels, value) })
    return { ...it, metadata: { ...it.metadata, ownerReferences: owner('CronJob', 'nightly') } }
  }
  const jobs = [
    job('nightly-1', {}, 'p'),
    job('nightly-2', { egress: 'external', 'batch.kubernetes.io/job-name': 'nightly-2' }, 'p'),
    job('nightly-3', { egress: 'external' }, 'other'),
  ]
  const pods = [1, 2, 3].map(it => pod(`p${it}`, 'Job', `nightly-${it}`))
  const over = pod('p4', 'Job', 'nightly-2')
  over.status!.phase = 'Succeeded'
  const { state, settled, current } = await stateOf(nightly, ...jobs, ...pods, over)
  assert.equal(state, { state: 'done' })
  assert.ok(settled)
  assert.equal(current, ['p2'])
})

test('a pod alone is its own template, and one of a controller is refused', () => {
  const { refuses, templateAt, labelOnly } = kindOf({ kind: 'Pod' })
  assert.equal([templateAt, labelOnly], [[], true])
  const alone = workload('Pod', 'shell', { containers: [{ name: 'c' }] })
  assert.is(refuses?.(alone), null)
  const owned = { ...alone, metadata: { ...alone.metadata, ownerReferences: owner('ReplicaSet', 'web-1') } }
  assert.match(String(refuses?.(owned)?.why), /belongs to ReplicaSet web-1/)
})

for (const { kind, name, is, isNot } of [
  { kind: 'Deployment', name: 'web', is: pod('a', 'ReplicaSet', 'web-5d'), isNot: pod('a', 'ReplicaSet', 'api-5d') },
  { kind: 'StatefulSet', name: 'db', is: pod('a', 'StatefulSet', 'db'), isNot: pod('a', 'StatefulSet', 'db2') },
  { kind: 'DaemonSet', name: 'agent', is: pod('a', 'DaemonSet', 'agent'), isNot: pod('a', 'StatefulSet', 'agent') },
  { kind: 'CronJob', name: 'nightly', is: pod('a', 'Job', 'nightly-29'), isNot: pod('a', 'Job', 'weekly-29') },
  { kind: 'Job', name: 'once', is: pod('a', 'Job', 'once'), isNot: pod('a', 'Job', 'once-more') },
] as const)
  test(`the pods of a ${kind}, by their owner`, () => {
    const { isOne } = kindOf({ kind })
    assert.equal([isOne(is, name), isOne(isNot, name)], [true, false])
  })

test('selectors find what the cluster has, in one order, without what is known, ours or not to be moved', async () => {
  const it = (
    kind: string,
    name: string,
    { labels = {}, spec = {}, more = {} }: { labels?: object; spec?: object; more?: object } = {},
  ) => {
    const made = workload(kind, name, { template: { spec: { containers: [], ...spec } } })
    return { ...made, metadata: { ...made.metadata, labels: labels as Record<string, string>, ...more } }
  }
  const shop = { part: 'shop' }
  const kube = cluster(
    it('Deployment', 'web', { labels: shop }),
    it('Deployment', 'api', { labels: shop }),
    it('Deployment', 'other'),
    it('StatefulSet', 'db', { labels: shop }),
    it('DaemonSet', 'agent', { labels: shop, spec: { hostNetwork: true } }),
    it('Deployment', 'managed', { labels: shop, more: { ownerReferences: owner('Database', 'pg') } }),
    it('Deployment', 'going', { labels: shop, more: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    it('Deployment', 'egress-health', { labels: { ...shop, 'app.kubernetes.io/managed-by': 'kapsule-egress' } }),
  )
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
  const select = (labels: Record<string, string> | undefined) =>
    selectWorkloads(
      kube,
      'n',
      [
        { labels, kinds },
        { labels: shop, kinds },
      ],
      [{ kind: 'Deployment', name: 'api' }],
    )
  const { found, left } = await select(shop)
  assert.equal(found.map(calledAs), ['statefulset/db', 'web'])
  assert.equal(
    left.map(it => `${calledAs(it.workload)}: ${it.why}`),
    [
      'daemonset/agent: its pods use the network of their nodes, which no NetworkPolicy sees',
      'going: it is being deleted',
      'managed: it belongs to Database pg, which makes it as it wants',
    ],
  )
  assert.equal((await select(undefined)).found.map(calledAs), ['other', 'statefulset/db', 'web'])
})

test('of pods and Jobs selectors find those that stand for themselves, and run', async () => {
  const made = (kind: string, name: string, more: object = {}, status?: object) => {
    const it = workload(kind, name, { containers: [], template: { spec: { containers: [] } } })
    return { ...it, metadata: { ...it.metadata, ...more }, ...(status && { status }) }
  }
  const over = (type: string) => ({ conditions: [{ type, status: 'True' }] })
  const kube = cluster(
    made('Pod', 'tool'),
    made('Pod', 'web-1', { ownerReferences: owner('ReplicaSet', 'web') }),
    made('Pod', 'done', {}, { phase: 'Succeeded' }),
    made('Pod', 'kapsule-probe', { labels: { 'app.kubernetes.io/managed-by': 'kapsule-egress' } }),
    made('Job', 'import'),
    made('Job', 'suspended', {}, { conditions: [{ type: 'Suspended', status: 'True' }] }),
    made('Job', 'nightly-1', { ownerReferences: owner('CronJob', 'nightly') }),
    made('Job', 'imported', {}, over('Complete')),
    made('Job', 'broken', {}, over('Failed')),
  )
  const { found, left } = await selectWorkloads(kube, 'n', [{ kinds: ['Pod', 'Job'] }], [])
  assert.equal(found.map(calledAs), ['job/import', 'job/suspended', 'pod/tool'])
  assert.equal(left, [])
})

test('what a cluster does not know as a kind is not there', async () => {
  const { KubeProblem } = await import('../../src/rollout/kube/problem.ts')
  const list = async () => Promise.reject(new KubeProblem('list', 'no such kind', 'none', 404))
  const kube = { list } as unknown as Kube
  assert.equal(await selectWorkloads(kube, 'n', [{ kinds: ['CronJob'] }], []), { found: [], left: [] })
})
