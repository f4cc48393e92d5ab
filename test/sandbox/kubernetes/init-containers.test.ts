import * as assert from 'uvu/assert'
import { askedBy } from '../../../src/sandbox/kubernetes/controllers/quotas.ts'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, eventually, type World } from './world.ts'

const { test, before, after } = suite('init containers and sidecars on the emulated API')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const url = '/api/v1/namespaces/default/pods'
const init = (name: string, more: Loose = {}) => ({ name, image: 'x', command: [name], ...more })
const sidecar = (name: string, more: Loose = {}) => init(name, { restartPolicy: 'Always', ...more })

/** A pod with the container `NAME-main`; answers the names of its containers in the order they began. */
const run = async (name: string, initContainers: Loose[], spec: Loose = {}) => {
  const containers = [{ name: `${name}-main`, image: 'x', command: ['main'] }]
  const own = initContainers.map(it => ({ ...it, name: `${name}-${it.name}` }))
  const made = await world.call('POST', url, { metadata: { name }, spec: { containers, initContainers: own, ...spec } })
  assert.is(made.code, 201, JSON.stringify(made.body))
  return () =>
    world.fake.calls
      .filter(it => it.startsWith(`begin ${name}-`))
      .map(it => it.slice(`begin ${name}-`.length))
      .join(' ')
}
const statusOf = async (name: string): Promise<Loose> => (await world.call('GET', `${url}/${name}`)).body.status
const conditionOf = async (name: string, type: string) =>
  (await statusOf(name)).conditions?.find((it: Loose) => it.type === type)
const shown = async (name: string) => {
  const { stdout } = await world.kubectl(`get pod ${name} --no-headers`)
  return stdout.split(/\s+/).slice(1, 3).join(' ')
}
const end = (name: string, container: string, code: number) => world.fake.end(name, code, `${name}-${container}`)

test('one after the other, a sidecar stays, and only then the others', async () => {
  const began = await run('ordered', [init('first'), sidecar('beside'), init('second')])
  await eventually(() => began() === 'first', 'the first begins')
  await eventually(async () => (await shown('ordered')) === '0/2 Init:0/3', 'it is shown')
  const { phase, containerStatuses } = await statusOf('ordered')
  assert.equal([phase, containerStatuses[0].state], ['Pending', { waiting: { reason: 'PodInitializing' } }])
  const { status, reason, message } = await conditionOf('ordered', 'Initialized')
  assert.equal([status, reason], ['False', 'ContainersNotInitialized'])
  assert.is(message, 'containers with incomplete status: [ordered-first ordered-beside ordered-second]')
  end('ordered', 'first', 0)
  await eventually(() => began() === 'first beside second', 'the sidecar does not hold up the second')
  await eventually(async () => (await shown('ordered')) === '1/2 Init:2/3', 'it is shown')
  end('ordered', 'second', 0)
  await eventually(async () => (await shown('ordered')) === '2/2 Running', 'it runs')
  assert.is(began(), 'first beside second main')
  assert.is((await conditionOf('ordered', 'Initialized')).status, 'True')
  const seen = await statusOf('ordered')
  assert.equal(
    seen.initContainerStatuses.map((it: Loose) => [Object.keys(it.state)[0], it.ready, it.started]),
    [
      ['terminated', true, false],
      ['running', true, true],
      ['terminated', true, false],
    ],
  )
})

test('what runs is not begun again by who comes back, and a sidecar that ends is, alone', async () => {
  await world.restart()
  await eventually(async () => (await statusOf('ordered')).phase === 'Running', 'it runs')
  const count = () => world.fake.calls.filter(it => it.startsWith('begin ordered-')).length
  assert.is(count(), 4)
  end('ordered', 'beside', 1)
  await eventually(() => count() === 5, 'the sidecar begins again')
  const restarts = async () => {
    const { initContainerStatuses, containerStatuses } = await statusOf('ordered')
    return [...initContainerStatuses, ...containerStatuses].map((it: Loose) => it.restartCount).join()
  }
  await eventually(async () => (await restarts()) === '0,1,0,0', 'it is counted')
  await eventually(async () => (await shown('ordered')) === '2/2 Running', 'it is ready again')
})

test('a pod that the machine lost begins with its first', async () => {
  const before = world.fake.calls.length
  world.fake.lose('ordered')
  const begun = () => world.fake.calls.slice(before).filter(it => it.startsWith('begin ordered-'))
  await eventually(() => begun().join() === 'begin ordered-first', 'the first begins')
  end('ordered', 'first', 0)
  await eventually(() => begun().length === 3, 'and so on')
  assert.is(begun()[2], 'begin ordered-second')
})

test('one that fails is tried again, later each time, and holds up the others', async () => {
  const began = await run('failing', [init('first')])
  await eventually(() => began() === 'first', 'the first begins')
  const first = await eventually(async () => {
    end('failing', 'first', 3)
    const [its] = (await statusOf('failing')).initContainerStatuses
    return its.state.waiting?.reason === 'CrashLoopBackOff' && its.restartCount > 1 && its
  }, 'it waits')
  assert.is(first.lastState.terminated.exitCode, 3)
  assert.not.match(began(), 'main')
  const { stdout } = await world.kubectl('logs failing -c failing-first')
  assert.is(stdout, 'hello')
})

test('one that fails in a pod that is never started again ends it', async () => {
  const began = await run('once', [init('first'), init('second')], { restartPolicy: 'Never' })
  await eventually(() => began() === 'first', 'the first begins')
  end('once', 'first', 1)
  await eventually(async () => (await statusOf('once')).phase === 'Failed', 'it has failed')
  assert.is(began(), 'first')
})

test('a sidecar lets the next begin once its startup probe succeeds', async () => {
  let answer = 1
  const asked: string[] = []
  world.fake.onExec((command, it) => {
    asked.push(command.join(' '))
    it.end(command[0] === 'up' ? answer : 0)
  })
  const probes = {
    startupProbe: { exec: { command: ['up'] }, periodSeconds: 0.02, failureThreshold: 1000 },
    readinessProbe: { exec: { command: ['ready'] }, periodSeconds: 0.02 },
  }
  const began = await run('probed', [sidecar('beside', probes)])
  await eventually(() => asked.filter(it => it === 'up').length > 2, 'it is asked')
  assert.is(began(), 'beside')
  assert.not.ok(asked.includes('ready'), 'nobody asks whether it is ready before')
  answer = 0
  await eventually(() => began() === 'beside main', 'the others begin')
  await eventually(async () => (await shown('probed')) === '2/2 Running', 'both are ready')
})

test('a sidecar ends when the others have ended for good', async () => {
  const began = await run('batch', [sidecar('beside')], { restartPolicy: 'Never' })
  await eventually(() => began() === 'beside main', 'both run')
  end('batch', 'main', 0)
  await eventually(async () => (await statusOf('batch')).phase === 'Succeeded', 'it has succeeded')
  assert.ok(world.fake.calls.includes('halt batch-beside'))
  const { initContainerStatuses } = await statusOf('batch')
  assert.is(initContainerStatuses[0].state.terminated.exitCode, 143)
})

test('environment and volumes, and what has no command', async () => {
  const volumes = [{ name: 'room', emptyDir: {} }]
  const volumeMounts = [{ name: 'room', mountPath: '/room' }]
  const env = [{ name: 'https_proxy', value: 'http://proxy:3128' }]
  await run('furnished', [{ name: 'first', image: 'x', env, volumeMounts }], { volumes })
  const spec = await eventually(() => world.fake.spec('furnished'), 'it begins')
  const first = spec.containers.find(it => it.name === 'furnished-first')
  assert.equal([first?.env.https_proxy, first?.command, first?.turn], ['http://proxy:3128', ['true'], 'init'])
  assert.equal(spec.volumes, [{ name: 'room' }])
})

for (const { when, init, asks } of [
  { when: 'none', init: [], asks: 100 },
  { when: 'a small one', init: [[50, false]], asks: 100 },
  { when: 'a large one', init: [[300, false]], asks: 300 },
  { when: 'a sidecar', init: [[50, true]], asks: 150 },
  { when: 'a large one beside a sidecar', init: [[50, true], [300, false]], asks: 350 }, // biome-ignore format: one
  { when: 'a large one before a sidecar', init: [[300, false], [50, true]], asks: 300 }, // biome-ignore format: one
] as { when: string; init: [number, boolean][]; asks: number }[])
  test(`what a pod asks for with init containers: ${when}`, () => {
    const of = (milli: number) => ({ resources: { requests: { cpu: `${milli}m` } } })
    const initContainers = init.map(([milli, stays]) => ({ ...of(milli), ...(stays && { restartPolicy: 'Always' }) }))
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { initContainers, containers: [of(100)] } } // biome-ignore format: one
    assert.is(Math.round(askedBy(pod as never, 'requests.cpu') * 1000), asks)
  })
