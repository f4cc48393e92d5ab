import * as assert from 'uvu/assert'
import { quantity } from '../../../src/sandbox/kubernetes/controllers/quotas.ts'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, deployment, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: budgets, evictions, quotas')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const home = '/api/v1/namespaces/default'
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const available = (name: string, count: number) =>
  eventually(
    async () => (await world.call('GET', `${deployments}/${name}`)).body.status?.availableReplicas === count,
    `${name} has ${count}`,
  )
const podsOf = async (name: string): Promise<Loose[]> =>
  (await world.call('GET', `${home}/pods?labelSelector=app%3D${name}`)).body.items
const allowed = (name: string, count: number) =>
  eventually(async () => {
    const { status, metadata } = (await world.call('GET', `${budgets}/${name}`)).body
    return status?.observedGeneration === metadata.generation && status.disruptionsAllowed === count
  }, `${name} allows ${count}`)
const evict = (pod: string) =>
  world.call('POST', `${home}/pods/${pod}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod },
  })
const budget = (name: string, spec: Loose) =>
  world.call('POST', budgets, { metadata: { name }, spec: { selector: { matchLabels: { app: 'web' } }, ...spec } })

for (const { text, is } of [
  { text: '100m', is: 0.1 },
  { text: '2', is: 2 },
  { text: '1.5Gi', is: 1.5 * 2 ** 30 },
  { text: '1e3', is: 1000 },
])
  test(`a quantity: ${text}`, () => assert.is(quantity(text), is))

test('a budget of numbers, percentages and none at all', async () => {
  await world.call('POST', deployments, deployment('web', 3))
  await available('web', 3)
  for (const { spec, allows } of [
    { spec: { minAvailable: 2 }, allows: 1 },
    { spec: { minAvailable: '100%' }, allows: 0 },
    { spec: { maxUnavailable: 2 }, allows: 2 },
    { spec: { maxUnavailable: '34%' }, allows: 2 },
    { spec: {}, allows: 2 },
  ]) {
    assert.is((await budget('web', spec)).code, 201)
    await allowed('web', allows)
    await world.call('DELETE', `${budgets}/web`)
  }
})

test('an eviction is refused when the budget is spent, and an ordinary deletion is not', async () => {
  await budget('web', { minAvailable: 3 })
  await allowed('web', 0)
  const [first] = await podsOf('web')
  const refused = await evict(first.metadata.name)
  assert.is(refused.code, 429)
  assert.is(refused.body.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  assert.equal(refused.body.details.causes, [
    { reason: 'DisruptionBudget', message: 'The disruption budget web needs 3 healthy pods and has 3 currently' },
  ])
  assert.is((await world.call('DELETE', `${home}/pods/${first.metadata.name}`, { gracePeriodSeconds: 0 })).code, 200)
  await eventually(async () => !(await podsOf('web')).some(it => it.metadata.name === first.metadata.name), 'it went')
  await available('web', 3)
  await world.patch(`${budgets}/web`, 'merge-patch+json', { spec: { minAvailable: 2 } })
  await allowed('web', 1)
  // What replaces the evicted pod would give the next one leave.
  const cordoned = (unschedulable: boolean) =>
    world.patch('/api/v1/nodes/node-1', 'merge-patch+json', { spec: { unschedulable } })
  await cordoned(true)
  const two = (await podsOf('web')).slice(0, 2).map(it => it.metadata.name)
  const answers = [await evict(two[0]), await evict(two[1])]
  assert.equal(
    answers.map(it => it.code),
    [201, 429],
    'what is allowed once is spent at once',
  )
  await budget('other', { minAvailable: 1 })
  assert.match((await evict(two[1])).body.message, 'more than one PodDisruptionBudget')
  for (const name of ['web', 'other']) await world.call('DELETE', `${budgets}/${name}`)
  await cordoned(false)
  await available('web', 3)
})

test('kubectl cordons, drains and uncordons a node', async () => {
  const node = (await podsOf('web'))[0].spec.nodeName
  const run = async (line: string) => {
    const { stdout, stderr, exitCode } = await world.kubectl(line)
    assert.is(exitCode, 0, `${line}: ${stderr}`)
    return `${stdout}${stderr}`
  }
  assert.match(await run(`cordon ${node}`), 'cordoned')
  assert.match(await run(`drain ${node} --ignore-daemonsets --grace-period=0 --timeout=60s`), 'evicted')
  assert.ok((await podsOf('web')).every(it => it.spec.nodeName !== node || it.metadata.deletionTimestamp))
  assert.match(await run(`uncordon ${node}`), 'uncordoned')
  await available('web', 3)
})

test('a quota refuses pods, the Deployment says why, and room lets it go on', async () => {
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: 'small' } })
  const space = '/apis/apps/v1/namespaces/small/deployments'
  const quota = '/api/v1/namespaces/small/resourcequotas'
  await world.call('POST', quota, { metadata: { name: 'few' }, spec: { hard: { pods: '1', 'requests.cpu': '500m' } } })
  const body = deployment('tight', 2)
  body.metadata.namespace = 'small'
  const { code, body: said } = await world.call('POST', '/api/v1/namespaces/small/pods', {
    metadata: { name: 'bare' },
    spec: { containers: [{ name: 'main', image: 'demo:1' }] },
  })
  assert.is(code, 403)
  assert.is(said.message, 'pods "bare" is forbidden: failed quota: few: must specify requests.cpu for: main')
  body.spec.template.spec.containers[0].resources = { requests: { cpu: '200m' } }
  await world.call('POST', space, body)
  const failure = await eventually(
    async () =>
      (await world.call('GET', `${space}/tight`)).body.status?.conditions?.find(
        (it: Loose) => it.type === 'ReplicaFailure',
      ),
    'the failure',
  )
  assert.match(failure.message, /is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1$/)
  assert.is(failure.reason, 'FailedCreate')
  await eventually(
    async () => (await world.call('GET', `${quota}/few`)).body.status?.used?.['requests.cpu'] === '200m',
    'what is used',
  )
  await world.patch(`${quota}/few`, 'merge-patch+json', { spec: { hard: { pods: '5' } } })
  await eventually(async () => {
    const { status } = (await world.call('GET', `${space}/tight`)).body
    return status.availableReplicas === 2 && !status.conditions.some((it: Loose) => it.type === 'ReplicaFailure')
  }, 'both pods')
})
