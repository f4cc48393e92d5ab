import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'
import { createOutput } from '../../src/cli/output.ts'
import { createHerald } from '../../src/cli/rollout/herald.ts'
import type { Entry } from '../../src/engine/journal.ts'
import type { Context } from '../../src/inventory/context.ts'
import type { Kube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { startCluster } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('cli: telling of a rollout')

const secret = 'T0KEN-that-nobody-may-see'
let cluster: Awaited<ReturnType<typeof startCluster>>
/** What comes to the webhook, and what it answers: 0 is nothing at all. */
const got: { path: string | undefined; body: Record<string, string> }[] = []
let answers: number[] = []
const server = createServer((request, response) => {
  let text = ''
  request.on('data', it => {
    text += it
  })
  request.on('end', () => {
    const status = answers.shift() ?? 200
    got.push({ path: request.url, body: JSON.parse(text) })
    if (status === 0) return
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
  })
})

before(async () => {
  cluster = await startCluster()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  process.env.TEST_WEBHOOK = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/${secret}`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  delete process.env.TEST_WEBHOOK
  await cluster?.close()
})

const step = 'workload-egress/default/web'
const want = () => ({ kubeconfig: cluster.kubeconfig, namespace: 'default', kind: 'Deployment', name: 'web' })
const moved = (): Entry[] => [
  {
    ...{ event: 'started', step, kind: 'workload-egress', group: 'rollout/canary', needs: [], want: want() },
    ...{ before: null, change: { action: 'update', summary: '' } },
  },
  { event: 'done', step, now: { uid: '11111111-1111-4111-8111-000000000000' } },
]

const telling = async (
  lines: Entry[],
  { url = 'TEST_WEBHOOK', kube = cluster.kube as Kube, timeoutMs = 60_000 } = {},
) => {
  got.length = 0
  const written: string[] = []
  const stream = { write: (text: string) => written.push(text) > 0 }
  const output = createOutput({ json: false, env: {} }, { stdout: stream, stderr: stream } as never)
  const context = { context: 'test', rollout: { notify: { webhook: { url: { env: url } } } } } as unknown as Context
  const pace = { timeoutMs, pausesMs: [10, 10] }
  const herald = createHerald({
    command: 'deploy',
    run: 'r1',
    state: '/nonexistent',
    context,
    output,
    ...pace,
    kube: () => kube,
  })
  for (const it of lines) herald.heard(it)
  await herald.close()
  assert.not(written.join('').includes(secret))
  return written
}

test('news go to the webhook in order, with a text for people; the workload has an Event', async () => {
  const passed: Entry = { event: 'note', topic: 'phase-passed', data: { group: 'rollout/canary', tenants: ['a'], workloads: [step] } } // biome-ignore format: one line
  assert.equal(await telling([...moved(), passed]), [])
  assert.equal(
    got.map(({ body: { event, text, context, run, phase } }) => ({ event, text, context, run, phase })),
    ['begun', 'passed'].map(it => ({
      ...{ event: `phase-${it}`, text: `test: phase canary ${it}`, context: 'test', run: 'r1', phase: 'canary' },
    })),
  )
  assert.is(got[0]?.path, `/hook/${secret}`)
  const { items } = await cluster.kube.list<KubeObject & { note: string; regarding: object }>({
    ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: 'default' },
  })
  const ours = items.filter(it => it.reportingController === 'kapsule-egress')
  assert.equal(ours.map(it => it.reason).sort(), ['EgressMoved', 'EgressVerified'])
  assert.equal(ours[0]!.regarding, {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' },
    uid: '11111111-1111-4111-8111-000000000000',
  })
})

for (const { when, given, posts, told } of [
  { when: 'it answers 500 and then well', given: [500], posts: 2, told: [] },
  { when: 'it does not answer and then well', given: [0], posts: 2, told: [] },
  { when: 'it answers 500 for good', given: [500, 503, 500], posts: 3, told: [/not reached: it answered 500/] },
  { when: 'it says no', given: [404], posts: 1, told: [/not reached: it answered 404/] },
  { when: 'it sends elsewhere', given: [302], posts: 1, told: [/not reached: it answered 302/] },
])
  test(`${when}: ${posts} posts`, async () => {
    answers = given
    // Only silence is waited for: whatever else is slow on a busy machine is no silence.
    const lines = await telling(moved(), given.includes(0) ? { timeoutMs: 3000 } : {})
    assert.is(got.length, posts)
    assert.is(lines.length, told.length, lines.join(''))
    for (const [at, it] of told.entries()) assert.match(lines[at]!, it)
  })

test('an address that is not there, and Events that are refused, are said once each', async () => {
  const kube = { create: () => Promise.reject(new Error('forbidden')) } as unknown as Kube
  const lines = await telling([...moved(), moved()[1]!], { url: 'NO_SUCH_VARIABLE', kube })
  assert.is(lines.length, 2)
  assert.ok(lines.some(it => /webhook .* was not reached: a secret is missing: the variable NO_SUCH_VARIABLE/.test(it)))
  assert.ok(lines.some(it => /no Events are written on workloads: forbidden/.test(it)))
})
