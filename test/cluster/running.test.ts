import * as assert from 'uvu/assert'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, pod } from './objects.ts'

// The emulator's own pods are tried in test/sandbox: here they would be on record only.
const given = process.env.EGRESS_TEST_KUBECONFIG
const { test, before, after } = suite('cluster: pods that run')
let cluster: Cluster
let why = 'no KUBECONFIG'
before(async () => {
  if (!given) return
  cluster = await openCluster('running')
  const { body } = await cluster.call('GET', '/api/v1/nodes')
  const takes = ({ spec, status }: Loose) =>
    !spec?.unschedulable &&
    !spec?.taints?.length &&
    status?.conditions?.some((it: Loose) => it.type === 'Ready' && it.status === 'True')
  why = body.items?.some(takes) ? '' : 'no node is Ready without taints'
})
after(() => cluster?.close())

const running = (title: string, run: () => Promise<void>) =>
  test(title, async () => {
    if (why) return console.log(`skipped, ${title}: ${why}`)
    await run()
  })
const sh = (name: string, script: string, spec: Loose = {}): Loose => {
  const made = pod(name, spec)
  made.spec.containers[0].command = ['sh', '-c', script]
  return made
}
const phase = (name: string, wanted: string) =>
  eventually(async () => {
    const { body } = await cluster.call('GET', cluster.path('v1', 'pods', name))
    const ready = wanted !== 'Running' || body.status?.containerStatuses?.every((it: Loose) => it.ready)
    return body.status?.phase === wanted && ready ? body : null
  }, `${name} is ${wanted}`)
const inPod = (name: string, ...command: string[]) => ({
  namespace: cluster.namespace,
  pod: name,
  container: 'main',
  command,
})

running('a command in a pod has its exit code, both its streams, and what it was fed', async () => {
  await cluster.make('v1', 'pods', pod('shell'))
  await phase('shell', 'Running')
  const both = await cluster.kube.exec(inPod('shell', 'sh', '-c', 'echo out; echo err >&2; exit 7'))
  assert.equal(both, { code: 7, stdout: 'out\n', stderr: 'err\n' })
  const stdin = 'x'.repeat(100_000)
  const fed = await cluster.kube.exec(inPod('shell', 'cat'), { stdin })
  assert.equal([fed.code, fed.stdout === stdin], [0, true])
  const { exitCode, stdout } = await cluster.kubectl('exec shell -- sh -c id')
  assert.equal([exitCode, /uid=/.test(stdout)], [0, true])
})

running('a program that is not there is told apart from one that fails', async () => {
  try {
    const { code } = await cluster.kube.exec(inPod('shell', 'there-is-no-such-program'))
    assert.ok([126, 127].includes(code), String(code))
  } catch (thrown) {
    assert.instance(thrown, KubeProblem)
    assert.match((thrown as KubeProblem).why, /executable file not found|no such file/i)
  }
})

running('what a container said before it was started anew can be read', async () => {
  await cluster.make('v1', 'pods', sh('crashing', 'echo last words; exit 3'))
  const { status } = await eventually(async () => {
    const { body } = await cluster.call('GET', cluster.path('v1', 'pods', 'crashing'))
    return body.status?.containerStatuses?.[0]?.restartCount > 0 ? body : null
  }, 'a restart')
  assert.is(
    (status.containerStatuses[0].lastState.terminated ?? status.containerStatuses[0].state.terminated).exitCode,
    3,
  )
  const at = { namespace: cluster.namespace, pod: 'crashing', container: 'main' }
  assert.is(await cluster.kube.logs({ ...at, previous: true, tailLines: 5 }), 'last words\n')
})

running('a pod that ends well or badly says so', async () => {
  await cluster.make('v1', 'pods', sh('well', 'true', { restartPolicy: 'Never' }))
  await cluster.make('v1', 'pods', sh('badly', 'exit 4', { restartPolicy: 'Never' }))
  await phase('well', 'Succeeded')
  const { status } = await phase('badly', 'Failed')
  assert.is(status.containerStatuses[0].state.terminated.exitCode, 4)
})

running('a new template comes beside the old one, and is there when rollout status says so', async () => {
  const at = cluster.path('apps/v1', 'deployments', 'web')
  await cluster.make('apps/v1', 'deployments', deployment('web', { replicas: 2 }))
  const first = await cluster.kubectl('rollout status deployment/web --timeout=90s')
  assert.is(first.exitCode, 0, first.stderr)
  await cluster.patch(at, 'merge', { spec: { template: { metadata: { labels: { egress: 'external' } } } } })
  const second = await cluster.kubectl('rollout status deployment/web --timeout=90s')
  assert.is(second.exitCode, 0, second.stderr)
  const { status, metadata } = (await cluster.call('GET', at)).body
  assert.equal(
    [status.observedGeneration, status.updatedReplicas, status.availableReplicas],
    [metadata.generation, 2, 2],
  )
})
