import * as assert from 'uvu/assert'
import { bounds, scaleDown, scaleUp } from '../../../src/sandbox/kubernetes/controllers/rolling.ts'
import type { Loose, Obj } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { isReady } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import type { World } from './world.ts'
import { createWorld, deployment, eventually } from './world.ts'

const { test, before, after } = suite('rollouts on the emulated API')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const url = '/apis/apps/v1/namespaces/default/deployments'
const get = async (name: string): Promise<Obj> => (await world.call('GET', `${url}/${name}`)).body
const podsOf = async (name: string): Promise<Obj[]> =>
  (await world.call('GET', `/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`)).body.items
const settled = (name: string) =>
  eventually(async () => {
    const { status, metadata, spec } = await get(name)
    return (
      status?.observedGeneration === metadata.generation &&
      status.updatedReplicas === spec.replicas &&
      status.replicas === spec.replicas &&
      status.availableReplicas === spec.replicas
    )
  }, `${name} settles`)
const ready = { readinessProbe: { exec: { command: ['is-ready'] }, periodSeconds: 1 } }

for (const { replicas, maxSurge, maxUnavailable, surge, unavailable } of [
  { replicas: 4, maxSurge: '25%', maxUnavailable: '25%', surge: 1, unavailable: 1 },
  { replicas: 2, maxSurge: '25%', maxUnavailable: '25%', surge: 1, unavailable: 0 },
  { replicas: 10, maxSurge: '33%', maxUnavailable: '33%', surge: 4, unavailable: 3 },
  { replicas: 3, maxSurge: 0, maxUnavailable: 0, surge: 0, unavailable: 1 },
]) {
  test(`bounds of ${replicas} with ${maxSurge} and ${maxUnavailable}`, () => {
    const spec = { replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } }
    assert.equal(bounds({ spec } as unknown as Obj), { surge, unavailable })
  })
}

const set = (replicas: number, availableReplicas: number, time = '1') =>
  ({
    metadata: { name: time, creationTimestamp: time },
    spec: { replicas },
    status: { availableReplicas },
  }) as unknown as Obj
for (const { when, current, olds, up, down } of [
  { when: 'begins', current: set(0, 0), olds: [set(4, 4)], up: 1, down: [3] },
  { when: 'the new one is not ready', current: set(2, 0), olds: [set(3, 3)], up: 2, down: [] },
  { when: 'one new one is available', current: set(2, 1), olds: [set(3, 3)], up: 2, down: [2] },
  { when: 'old ones are sick', current: set(1, 0), olds: [set(4, 3)], up: 1, down: [3] },
  { when: 'all new are available', current: set(4, 4), olds: [set(1, 1)], up: 4, down: [0] },
]) {
  test(`steps of 4 with 25 %: ${when}`, () => {
    const it = {
      spec: { replicas: 4, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } },
    } as unknown as Obj
    assert.is(scaleUp(it, current, olds), up)
    assert.equal(
      scaleDown(it, current, olds).map(its => its.replicas),
      down,
    )
  })
}

test('old pods stay until new ones are ready', async () => {
  let isReadyNow = true
  world.fake.onExec((_, it) => it.end(isReadyNow ? 0 : 1))
  const body = deployment('keep', 2)
  Object.assign(body.spec.template.spec.containers[0], ready)
  assert.is((await world.call('POST', url, body)).code, 201)
  await settled('keep')
  const old = (await podsOf('keep')).map(it => it.metadata.name)
  isReadyNow = false
  // Probes of the old pods fail no more than their threshold allows while this is short.
  await world.patch(`${url}/keep`, 'merge-patch+json', {
    spec: { template: { metadata: { labels: { egress: 'external' } } } },
  })
  await eventually(async () => (await podsOf('keep')).length === 3, 'a new pod beside the old ones')
  world.fake.onExec((_, it) => it.end(0))
  await settled('keep')
  const now = await podsOf('keep')
  assert.is(now.length, 2)
  assert.ok(now.every(it => !old.includes(it.metadata.name) && it.metadata.labels?.egress === 'external'))
})

test('a new version that never gets ready takes nothing away, and is undone', async () => {
  world.fake.onExec((_, it) => it.end(0))
  const body = deployment('stuck', 2)
  body.spec.progressDeadlineSeconds = 1
  await world.call('POST', url, body)
  await settled('stuck')
  const [first] = await podsOf('stuck')
  const broken = {
    containers: [{ name: 'main', ...ready, readinessProbe: { exec: { command: ['never'] }, periodSeconds: 1 } }],
  }
  world.fake.onExec((command, it) => it.end(command[0] === 'never' ? 1 : 0))
  await world.patch(`${url}/stuck`, 'strategic-merge-patch+json', { spec: { template: { spec: broken } } })
  const failed = await eventually(
    async () => (await get('stuck')).status.conditions.find((it: Loose) => it.reason === 'ProgressDeadlineExceeded'),
    'the deadline',
  )
  assert.is(failed.status, 'False')
  const pods = await podsOf('stuck')
  assert.is(pods.filter(isReady).length, 2)
  assert.is(pods.length, 3)
  const undone = await world.kubectl('rollout undo deployment/stuck')
  assert.is(undone.exitCode, 0, undone.stderr as string)
  await settled('stuck')
  const left = await podsOf('stuck')
  assert.ok(
    left.some(it => it.metadata.name === first!.metadata.name),
    'the old pods never went',
  )
  assert.is((await get('stuck')).metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
})

test('paused: nothing rolls, replicas are obeyed', async () => {
  const body = deployment('paused', 1)
  await world.call('POST', url, body)
  await settled('paused')
  await world.patch(`${url}/paused`, 'merge-patch+json', {
    spec: { paused: true, replicas: 3, template: { metadata: { labels: { v: '2' } } } },
  })
  await eventually(async () => (await podsOf('paused')).filter(isReady).length === 3, 'three pods')
  assert.ok((await podsOf('paused')).every(it => !it.metadata.labels?.v))
  await world.patch(`${url}/paused`, 'merge-patch+json', { spec: { paused: false } })
  await settled('paused')
  assert.ok((await podsOf('paused')).every(it => it.metadata.labels?.v === '2'))
})

test('recreate: no new pod before the last old one is gone', async () => {
  const body = deployment('again', 2)
  body.spec.strategy = { type: 'Recreate' }
  await world.call('POST', url, body)
  await settled('again')
  const from = world.fake.calls.length
  await world.patch(`${url}/again`, 'merge-patch+json', { spec: { template: { metadata: { labels: { v: '2' } } } } })
  await settled('again')
  const mine = world.fake.calls.slice(from).filter(it => it.includes(' again-'))
  assert.equal(
    mine.map(it => it.split(' ')[0]),
    ['stop', 'stop', 'start', 'start'],
  )
})

test('a container that crashes: again at once, then waiting, with its exit code', async () => {
  await world.call('POST', url, deployment('crash', 1))
  await settled('crash')
  const status = async () => (await podsOf('crash'))[0]?.status.containerStatuses[0]
  world.fake.end('crash', 7)
  await eventually(async () => (await status()).restartCount === 1, 'the first restart')
  assert.is((await status()).lastState.terminated.exitCode, 7)
  const [{ metadata }] = (await podsOf('crash')) as [Obj]
  const log = `/api/v1/namespaces/default/pods/${metadata.name}/log?previous=true`
  assert.is((await world.call('GET', log)).body, 'it died\n')
  world.fake.end('crash', 8)
  await eventually(async () => (await status()).restartCount === 2 && (await status()).ready, 'the second restart')
  assert.is((await status()).lastState.terminated.exitCode, 8)
  // The wait is short: what came and went is seen by a watch from before.
  const { resourceVersion } = metadata
  const watch = `watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=1&labelSelector=app%3Dcrash`
  const seen = (await world.call('GET', `/api/v1/namespaces/default/pods?${watch}`)).body
  assert.match(JSON.stringify(seen), 'CrashLoopBackOff')
})

test('a pod that the machine lost is started again, and each of its containers is counted', async () => {
  const containers = ['main', 'side'].map(name => ({ name, image: 'demo:1', command: ['sleep', '1d'] }))
  await world.call('POST', url, deployment('lost', 1, { containers }))
  await settled('lost')
  world.fake.lose('lost')
  await eventually(() => world.fake.spec('lost'), 'it runs again')
  const counts = async () => (await podsOf('lost'))[0]?.status.containerStatuses.map((it: Loose) => it.restartCount)
  await eventually(async () => String(await counts()) === '1,1', 'both are counted')
})

test('scheduling: taints, selectors, and the reason why not', async () => {
  await world.call('POST', url, deployment('there', 1, { nodeSelector: { pool: 'b' } }))
  const condition = await eventually(
    async () => (await podsOf('there'))[0]?.status.conditions?.find((it: Loose) => it.reason === 'Unschedulable'),
    'a reason',
  )
  assert.match(condition.message, /0\/2 nodes are available: .*untolerated taint \{own: b\}/)
  assert.is((await podsOf('there'))[0]!.status.phase, 'Pending')
  await world.patch(`${url}/there`, 'merge-patch+json', {
    spec: { template: { spec: { tolerations: [{ key: 'own', value: 'b', effect: 'NoSchedule' }] } } },
  })
  await settled('there')
  assert.is((await podsOf('there'))[0]!.spec.nodeName, 'node-2')
  assert.match((await podsOf('there'))[0]!.status.podIP, /^10\.100\.1\./)
})

test('a node has room for what it has room for, and what waits comes when there is some', async () => {
  const resources = { requests: { cpu: '1500m', memory: '64Mi' } }
  const container = { name: 'main', image: 'demo:1', command: ['sleep', '1d'], resources }
  for (const name of ['big', 'late']) await world.call('POST', url, deployment(name, 1, { containers: [container] }))
  const waiting = await eventually(async () => {
    const pods = [...(await podsOf('big')), ...(await podsOf('late'))]
    return pods.find(it => it.status.conditions?.some((its: Loose) => its.reason === 'Unschedulable'))
  }, 'one has no room')
  const [condition] = waiting.status.conditions
  assert.match(condition.message, /0\/2 nodes are available: .*Insufficient cpu/)
  const other = waiting.metadata.name.startsWith('big') ? 'late' : 'big'
  await settled(other)
  await world.call('DELETE', `${url}/${other}`)
  await settled(other === 'big' ? 'late' : 'big')
})

test('scale, and delete in the foreground', async () => {
  await world.call('POST', url, deployment('many', 1))
  await settled('many')
  assert.is(
    (await world.patch(`${url}/many/scale`, 'merge-patch+json', { spec: { replicas: 4 } })).body.spec.replicas,
    4,
  )
  await settled('many')
  assert.is((await podsOf('many')).length, 4)
  await world.call('DELETE', `${url}/many`, { propagationPolicy: 'Foreground' })
  await eventually(async () => (await world.call('GET', `${url}/many`)).code === 404, 'it is gone')
  assert.is((await podsOf('many')).length, 0, 'its pods went first')
  assert.not(world.fake.spec('many'))
})
