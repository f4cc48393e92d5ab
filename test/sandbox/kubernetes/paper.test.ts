import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, deployment, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: nodes of paper')
let world: World
before(async () => {
  world = await createWorld()
  for (const name of ['paper-1', 'paper-2']) {
    const metadata = { name, labels: { paper: 'yes' }, annotations: { 'emulator/paper': '20' } }
    assert.is((await world.call('POST', '/api/v1/nodes', { metadata })).code, 201)
  }
})
after(() => world?.close())

const url = '/apis/apps/v1/namespaces/default/deployments'
const podsOf = async (name: string): Promise<Loose[]> =>
  (await world.call('GET', `/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`)).body.items
const made = async (name: string, replicas: number, annotations: Loose = {}) => {
  const body = deployment(name, replicas, { nodeSelector: { paper: 'yes' } })
  body.spec.template.metadata.annotations = annotations
  assert.is((await world.call('POST', url, body)).code, 201)
}
const available = (name: string, count: number) =>
  eventually(async () => {
    const { status, spec, metadata } = (await world.call('GET', `${url}/${name}`)).body
    return (
      [status?.availableReplicas, status?.updatedReplicas, status?.replicas].every(it => it === count) &&
      spec.replicas === count &&
      status.observedGeneration === metadata.generation
    )
  }, `${name} has ${count}`)

test('their pods get ready by themselves, roll, and are no processes', async () => {
  await made('many', 60)
  await available('many', 60)
  const pods = await podsOf('many')
  assert.is(new Set(pods.map(it => it.status.podIP)).size, 60)
  assert.equal([...new Set(pods.map(it => it.spec.nodeName))].sort(), ['paper-1', 'paper-2'])
  assert.is(world.fake.specs().length, 0)
  await world.patch(`${url}/many`, 'merge-patch+json', { spec: { template: { metadata: { labels: { v: '2' } } } } })
  await available('many', 60)
  await eventually(
    async () => (await podsOf('many')).every(it => it.metadata.labels.v === '2' && !it.metadata.deletionTimestamp),
    'only new ones are left',
  )
  const { conditions, nodeInfo } = (await world.call('GET', '/api/v1/nodes/paper-1')).body.status
  assert.ok(nodeInfo.kubeletVersion)
  assert.ok(conditions.some((it: Loose) => it.type === 'Ready' && it.status === 'True'))
})

test('a pod may be asked to crash, or never to get ready', async () => {
  await made('crash', 1, { 'emulator/paper': 'crash' })
  const status = await eventually(async () => {
    const it = (await podsOf('crash'))[0]?.status?.containerStatuses?.[0]
    return it?.restartCount >= 2 && it
  }, 'the second restart')
  assert.is(status.state.waiting.reason, 'CrashLoopBackOff')
  assert.is(status.lastState.terminated.exitCode, 1)
  await made('never', 1, { 'emulator/paper': 'never' })
  await eventually(async () => (await podsOf('never'))[0]?.status?.phase === 'Running', 'it runs')
  assert.is((await podsOf('never'))[0]!.status.containerStatuses[0].ready, false)
})

test('a Job on paper succeeds, a pod made by hand runs on', async () => {
  const spec = {
    restartPolicy: 'Never',
    nodeSelector: { paper: 'yes' },
    containers: [{ name: 'main', image: 'demo:1' }],
  }
  await world.call('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'alone' }, spec })
  const path = '/apis/batch/v1/namespaces/default/jobs'
  await world.call('POST', path, { metadata: { name: 'once' }, spec: { template: { spec } } })
  await eventually(async () => (await world.call('GET', `${path}/once`)).body.status?.succeeded === 1, 'it succeeded')
  const { status } = (await world.call('GET', '/api/v1/namespaces/default/pods/alone')).body
  assert.equal([status.phase, status.containerStatuses[0].ready], ['Running', true])
})

test('a node that goes takes its pods along, and they come back elsewhere', async () => {
  await world.call('DELETE', '/api/v1/nodes/paper-2')
  await available('many', 60)
  await eventually(
    async () => (await podsOf('many')).every(it => it.spec.nodeName === 'paper-1'),
    'all on the node that is left',
  )
})
