import * as assert from 'uvu/assert'
import { clockOf, parseSchedule } from '../../../src/sandbox/kubernetes/objects/cron.ts'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { isReady } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, deployment, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: StatefulSets, DaemonSets, Jobs, CronJobs')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const apps = '/apis/apps/v1/namespaces/default'
const batch = '/apis/batch/v1/namespaces/default'
const get = async (path: string): Promise<Loose> => (await world.call('GET', path)).body
const podsOf = async (name: string): Promise<Loose[]> =>
  (await get(`/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`)).items
const names = async (name: string, label?: string) =>
  (await podsOf(name)).map(it => (label ? `${it.metadata.name} ${it.metadata.labels[label]}` : it.metadata.name)).sort()
const made = async (path: string, body: Loose) => {
  const { code, body: answer } = await world.call('POST', path, body)
  assert.is(code, 201, JSON.stringify(answer))
  return answer
}
const label = (path: string, v: string) =>
  world.patch(path, 'merge-patch+json', { spec: { template: { metadata: { labels: { v } } } } })
const run = async (line: string) => {
  const { stdout, stderr, exitCode } = await world.kubectl(line)
  assert.is(exitCode, 0, `${line}: ${stderr}`)
  return stdout as string
}
const stateful = (name: string, replicas: number, more: Loose = {}) => {
  const { spec, metadata } = deployment(name, replicas)
  return { metadata, spec: { ...spec, serviceName: name, ...more } }
}
const settled = (path: string) =>
  eventually(async () => {
    const { status, metadata, spec } = await get(path)
    const { replicas } = spec
    return (
      status?.observedGeneration === metadata.generation &&
      [status.replicas, status.readyReplicas].every(it => it === replicas) &&
      !(await podsOf(metadata.name)).some(it => it.metadata.deletionTimestamp)
    )
  }, `${path} settles`)

test('a StatefulSet starts in order, updates backwards, and is undone', async () => {
  const path = `${apps}/statefulsets/db`
  const from = world.fake.calls.length
  await made(`${apps}/statefulsets`, stateful('db', 3))
  await run('rollout status statefulset/db --timeout=60s')
  assert.equal(world.fake.calls.slice(from), ['start db-0', 'start db-1', 'start db-2'])
  const [first] = await podsOf('db')
  assert.is(first.metadata.labels['statefulset.kubernetes.io/pod-name'], 'db-0')
  const later = world.fake.calls.length
  await label(path, '2')
  await run('rollout status statefulset/db --timeout=60s')
  assert.equal(
    world.fake.calls.slice(later),
    [2, 1, 0].flatMap(it => [`stop db-${it}`, `start db-${it}`]),
  )
  const { status } = await get(path)
  assert.is(status.currentRevision, status.updateRevision)
  await run('rollout undo statefulset/db')
  await run('rollout status statefulset/db --timeout=60s')
  assert.equal(await names('db', 'v'), ['db-0 undefined', 'db-1 undefined', 'db-2 undefined'])
  assert.is((await get(path)).status.updateRevision, first.metadata.labels['controller-revision-hash'])
})

test('a partition holds the lower ordinals at the old template', async () => {
  const path = `${apps}/statefulsets/part`
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }
  await made(`${apps}/statefulsets`, stateful('part', 3, { updateStrategy }))
  await settled(path)
  await label(path, '2')
  await eventually(async () => (await get(path)).status.updatedReplicas === 1, 'one is updated')
  await settled(path)
  assert.equal(await names('part', 'v'), ['part-0 undefined', 'part-1 undefined', 'part-2 2'])
  await world.call('DELETE', '/api/v1/namespaces/default/pods/part-0')
  await eventually(async () => (await podsOf('part')).filter(it => isReady(it as never)).length === 3, 'it is back')
  await settled(path)
  assert.equal(await names('part', 'v'), ['part-0 undefined', 'part-1 undefined', 'part-2 2'], 'with the old template')
  await world.patch(path, 'merge-patch+json', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } })
  await run('rollout status statefulset/part --timeout=60s')
  assert.equal(await names('part', 'v'), ['part-0 2', 'part-1 2', 'part-2 2'])
})

test('OnDelete waits for whoever deletes; what may not change is refused', async () => {
  const path = `${apps}/statefulsets/slow`
  await made(`${apps}/statefulsets`, stateful('slow', 2, { updateStrategy: { type: 'OnDelete' } }))
  await settled(path)
  await label(path, '2')
  await eventually(async () => {
    const { status, metadata } = await get(path)
    return status.observedGeneration === metadata.generation && status.updateRevision !== status.currentRevision
  }, 'it knows of the new template')
  assert.equal(await names('slow', 'v'), ['slow-0 undefined', 'slow-1 undefined'])
  await world.call('DELETE', '/api/v1/namespaces/default/pods/slow-1')
  await eventually(async () => (await names('slow', 'v')).includes('slow-1 2'), 'the new one')
  const refused = await world.patch(path, 'merge-patch+json', { spec: { serviceName: 'other' } })
  assert.is(refused.code, 422)
  assert.match(refused.body.message, "updates to statefulset spec for fields other than 'replicas', 'ordinals'")
})

test('a StatefulSet scales down from the top', async () => {
  const from = world.fake.calls.length
  await run('scale statefulset db --replicas=1')
  await settled(`${apps}/statefulsets/db`)
  assert.equal(
    world.fake.calls.slice(from).filter(it => it.includes(' db-')),
    ['stop db-2', 'stop db-1'],
  )
})

test('a DaemonSet has a pod on each node that it tolerates, and rolls', async () => {
  const { spec, metadata } = deployment('agent', 0)
  const path = `${apps}/daemonsets/agent`
  await made(`${apps}/daemonsets`, { metadata, spec: { selector: spec.selector, template: spec.template } })
  await run('rollout status daemonset/agent --timeout=60s')
  assert.equal(
    (await podsOf('agent')).map(it => it.spec.nodeName),
    ['node-1'],
  )
  const tolerations = [{ key: 'own', operator: 'Exists' }]
  await world.patch(path, 'merge-patch+json', { spec: { template: { spec: { tolerations } } } })
  await run('rollout status daemonset/agent --timeout=60s')
  assert.equal((await podsOf('agent')).map(it => it.spec.nodeName).sort(), ['node-1', 'node-2'])
  assert.is((await get(path)).status.desiredNumberScheduled, 2)
})

const job = (name: string, more: Loose = {}) => ({
  metadata: { name },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'demo:1' }] },
    },
    ...more,
  },
})

test('a Job is complete when its pods have succeeded, and its template is fixed', async () => {
  await made(`${batch}/jobs`, job('once', { completions: 2, parallelism: 1 }))
  for (const done of [1, 2]) {
    await eventually(async () => (await podsOf('once')).some(it => it.status.phase === 'Running'), 'it runs')
    world.fake.end('once', 0)
    await eventually(async () => (await get(`${batch}/jobs/once`)).status.succeeded === done, `${done} succeeded`)
  }
  await run('wait --for=condition=complete job/once --timeout=60s')
  const { status } = await get(`${batch}/jobs/once`)
  assert.ok(status.completionTime)
  assert.is(status.active, undefined)
  const refused = await label(`${batch}/jobs/once`, '2')
  assert.match(refused.body.message, /spec.template: Invalid value: .*: field is immutable/)
  const always = job('always') as Loose
  always.spec.template.spec.restartPolicy = 'Always'
  const unsupported = (await world.call('POST', `${batch}/jobs`, always)).body.message
  assert.match(unsupported, 'spec.template.spec.restartPolicy: Unsupported value: "Always"')
})

test('a Job that fails too often has failed, with the reason', async () => {
  await made(`${batch}/jobs`, job('fails', { backoffLimit: 1 }))
  for (const count of [1, 2]) {
    await eventually(async () => (await podsOf('fails')).some(it => it.status.phase === 'Running'), 'it runs')
    world.fake.end('fails', 3)
    await eventually(async () => (await get(`${batch}/jobs/fails`)).status.failed === count, `${count} failed`)
  }
  const failed = await eventually(
    async () => (await get(`${batch}/jobs/fails`)).status.conditions?.find((it: Loose) => it.type === 'Failed'),
    'it failed',
  )
  assert.is(failed.reason, 'BackoffLimitExceeded')
  assert.is((await podsOf('fails')).length, 2)
})

test('a suspended Job has no pods until it is resumed', async () => {
  await made(`${batch}/jobs`, job('held', { suspend: true }))
  await eventually(
    async () => (await get(`${batch}/jobs/held`)).status?.conditions?.some((it: Loose) => it.type === 'Suspended'),
    'it says so',
  )
  assert.is((await podsOf('held')).length, 0)
  await world.patch(`${batch}/jobs/held`, 'merge-patch+json', { spec: { suspend: false } })
  await eventually(async () => (await podsOf('held')).length === 1, 'its pod')
})

test('a CronJob starts what was due, once, and a change of it leaves the started Job alone', async () => {
  const { spec } = job('tick')
  const body = { metadata: { name: 'tick' }, spec: { schedule: '* * * * *', jobTemplate: { spec } } }
  const path = `${batch}/cronjobs/tick`
  await made(`${batch}/cronjobs`, { ...body, spec: { ...body.spec, suspend: true } })
  // As if its last start had been two minutes ago.
  const lastScheduleTime = new Date(Date.now() - 120_000).toISOString().replace(/\.\d+/, '')
  await world.patch(`${path}/status`, 'merge-patch+json', { status: { lastScheduleTime } })
  await world.patch(path, 'merge-patch+json', { spec: { suspend: false } })
  const [ref] = await eventually(async () => (await get(path)).status.active, 'a Job')
  const pod = (await eventually(async () => (await podsOf('tick'))[0], 'its pod')) as Loose
  await world.patch(path, 'merge-patch+json', {
    spec: { suspend: true, jobTemplate: { spec: { template: { metadata: { labels: { v: '2' } } } } } },
  })
  const started = await get(`${batch}/jobs/${ref.name}`)
  assert.is(started.spec.template.metadata.labels.v, undefined)
  assert.is(started.metadata.ownerReferences[0].kind, 'CronJob')
  assert.ok((await podsOf('tick')).some(it => it.metadata.uid === pod.metadata.uid))
  const wrong = await world.patch(path, 'merge-patch+json', { spec: { schedule: 'at noon' } })
  assert.is(wrong.code, 422)
})

for (const { schedule, time, is } of [
  { schedule: '*/15 * * * *', time: '2026-03-01T10:45:00Z', is: true },
  { schedule: '*/15 * * * *', time: '2026-03-01T10:46:00Z', is: false },
  { schedule: '0 3 * * mon-fri', time: '2026-03-02T03:00:00Z', is: true },
  { schedule: '0 3 * * mon-fri', time: '2026-03-01T03:00:00Z', is: false },
  { schedule: '0 0 13 * 5', time: '2026-03-06T00:00:00Z', is: true },
  { schedule: '@hourly', time: '2026-03-01T10:00:00Z', is: true },
])
  test(`${schedule} at ${time}`, () => assert.is(parseSchedule(schedule)!(clockOf(Date.parse(time))), is))

for (const schedule of ['', '* * * *', '61 * * * *', 'x * * * *', '5-1 * * * *', '*/0 * * * *'])
  test(`no schedule: "${schedule}"`, () => assert.is(parseSchedule(schedule), null))
