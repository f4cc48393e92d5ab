import * as assert from 'uvu/assert'
import { createOutput } from '../../src/cli/output.ts'
import { preflightOf, refuseAlso, refuseRolloutEarly } from '../../src/cli/rollout/preflight.ts'
import { rollOut } from '../../src/cli/rollout/run.ts'
import type { Staged } from '../../src/cli/staged.ts'
import { Problem, Problems } from '../../src/engine/problem.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { demoWorkload, EGRESS_LABEL } from '../../src/rollout/manifests.ts'
import type { Workload } from '../../src/rollout/workload.ts'
import { workloadEgress } from '../../src/rollout/workload-egress.ts'
import { startCluster } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { stagedWith } from './staged.ts'

const { test, before, after } = suite('cli: what stands in the way of a rollout')

const namespace = 'client-a-demo'
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
  await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})
after(() => cluster?.close())

const deployed = async (name: string, more: object = {}): Promise<KubeObject> => {
  const made = demoWorkload({ name, namespace, tenant: 'client-a', pool: 'a-pool' })
  return cluster.kube.create({ ...made, spec: { ...(made.spec as object), ...more } } as KubeObject, {
    manager: 'shop',
  })
}

const proxy = { name: 'proxy-a', privateIp: '172.16.28.8', port: 3128 }

/** A rollout of these workloads, and what it says. */
const stage = async (names: string[], { json = false, accept }: { json?: boolean; accept?: string[] } = {}) => {
  const { kubeconfig } = cluster
  const desired = names.map(name =>
    workloadEgress(`${namespace}/${name}`, {
      ...{ kubeconfig, namespace, kind: 'Deployment', name, label: EGRESS_LABEL, env: [], containers: 'all' },
    }),
  )
  const staged = await stagedWith([], { stages: ['rollout'] })
  const told = { out: '', talk: '', lines: [] as unknown[] }
  const stream = (to: 'out' | 'talk') => ({
    write(text: string) {
      told[to] += text
      return true
    },
  })
  Object.assign(staged.session, {
    context: {
      tenants: [{ tenant: 'client-a', namespace, egress: { through: 'address', proxy, proxies: [proxy] }, rollout: accept ? { preflight: { accept } } : {} }], // biome-ignore format: one
      cluster: { kubeconfig, podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20' },
      network: { privateNetwork: { cidr: '172.16.28.0/22' } },
      verify: { echo: [], probeImage: 'curlimages/curl' },
    },
    clients: cluster.clients,
    output: createOutput({ json, env: {} }, { stdout: stream('out'), stderr: stream('talk') } as never),
    journal: { record: (it: unknown) => void told.lines.push(it) },
  })
  Object.assign(staged.site, { phases: [{ name: 'canary', desired, moves: [] }] })
  const seen = new Map(desired.map(it => [it.id, { step: {} }]))
  return { staged: { ...staged, plan: { seen, changed: new Set() } } as unknown as Staged, told }
}

const phases: string[] = []
const progress = {
  async stage(title: string, run: (say: () => void) => Promise<never>) {
    phases.push(title)
    return run(() => undefined)
  },
  watch() {},
  async close() {},
}

const problemOf = async (run: () => Promise<unknown>): Promise<Problem> => {
  const thrown = await run().then(
    () => undefined,
    (it: unknown) => it,
  )
  assert.ok(thrown instanceof Problem, String(thrown))
  return thrown
}

test('what just starts is waited for', async () => {
  await deployed('late')
  const { staged } = await stage(['late'])
  assert.equal(await preflightOf(staged), [])
})

test('a look that may not wait tells what is under way', async () => {
  await deployed('later', { replicas: 3 })
  const { staged } = await stage(['later'])
  const found = await preflightOf(staged, { patience: 0 })
  assert.ok(found.every(it => it.check === 'baseline' && it.passing))
})

test('what stops a rollout ends it with exit 1 before its first phase, with a table', async () => {
  const was = await deployed('recreated', { strategy: { type: 'Recreate' } })
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'recreated' }
  const isUp = async () => ((await cluster.kube.get<Workload>(id))?.status?.availableReplicas ?? 0) === 1
  assert.ok(await until(isUp, 60), 'recreated is up')
  const { staged, told } = await stage(['recreated', 'late'])
  const { exit, message, why } = await problemOf(() => rollOut(staged, progress))
  assert.is(exit, 1)
  assert.match(
    `${message} ${why}`,
    /1 thing stands in the way of the rollout client-a-demo\/recreated: moving it is an/,
  )
  assert.match(
    told.out,
    /^level {2}workload[\s\S]*\nstop {3}client-a-demo\/recreated {2}moving it is an outage \(outage\)\n/,
  )
  assert.ok(told.out.split('\n').every(it => it.length <= 80))
  assert.equal(phases.splice(0), ['rollout: preflight'])
  assert.is(told.lines.length, 1)
  const now = await cluster.kube.get(id)
  assert.is(now!.metadata.generation, was.metadata.generation)
})

test('what nobody could look at hides nothing of the table', async () => {
  const { staged, told } = await stage(['recreated'])
  staged.session.flags.check = true
  const blind = new Problem('DaemonSet client-a-demo/agent: not moved', {
    why: 'it holds credentials',
    next: 'mend it',
  })
  const thrown = await refuseAlso(staged, [blind]).catch(it => it)
  assert.instance(thrown, Problems)
  assert.is(thrown.all.length, 2)
  assert.is(thrown.all[0], blind)
  assert.match(thrown.all[1].message, /1 thing stands in the way/)
  assert.match(told.out, /stop {3}client-a-demo\/recreated/)
})

test('with --json it is an event each, and what a tenant accepts stops nothing', async () => {
  const { staged, told } = await stage(['recreated'], { json: true, accept: ['outage'] })
  staged.session.flags.check = true
  await refuseRolloutEarly(staged)
  const events = told.out.trim().split('\n').map(it => JSON.parse(it)) // biome-ignore format: one
  assert.equal(
    events.map(({ event, level, check, workload }) => ({ event, level, check, workload })),
    [{ event: 'preflight', level: 'note', check: 'outage', workload: 'client-a-demo/recreated' }],
  )
  const before = told.out
  await refuseRolloutEarly(staged)
  assert.is(told.out, before, 'told once')
})

test('where nothing would move, no cluster is asked', async () => {
  const { staged } = await stage(['late'])
  Object.assign(staged, { plan: { seen: new Map(), changed: new Set() } })
  Object.assign(staged.session, { clients: { kube: () => assert.unreachable() } })
  assert.equal(await preflightOf(staged), [])
})
