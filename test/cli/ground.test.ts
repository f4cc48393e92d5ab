import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createClients } from '../../src/cli/clients.ts'
import { refuseLosingGround, refuseUnknown, withoutGround } from '../../src/cli/rollout/ground.ts'
import { takeBack } from '../../src/cli/rollout/open.ts'
import type { Session } from '../../src/cli/session.ts'
import { openJournal } from '../../src/engine/journal.ts'
import { Problem } from '../../src/engine/problem.ts'
import { standing, type ToUndo } from '../../src/engine/undo.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { suite } from '../support/suite.ts'
import { createRolling } from './rolling.ts'

const { test, before, after } = suite('cli: what workloads stand on')
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling()
})
after(() => rolling?.close())

test('a policy stays while it guards what a run of another machine moved', async () => {
  const run = await rolling.start()
  assert.is(await run.ended, undefined, run.lines.join('\n'))
  const moved = standing(rolling.history())
  assert.is(moved.length, 3)
  const { kubeconfig, kube } = rolling.cluster
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'egress-proxy', namespace: 'a-demo' } }
  const ground = { ...moved[0]!, step: 'manifest/x', kind: 'manifest', want: { kubeconfig, object }, before: null }
  const refused = (list: ToUndo[], namespace = 'a-demo') => {
    const context = { context: 'rolling', tenants: [{ tenant: 'a', namespace }] }
    const session = { context, clients: { kube: () => kube } } as unknown as Session
    return refuseLosingGround(session, list).catch(it => it)
  }
  const unknown = moved.filter(it => !it.step.endsWith('w1'))
  assert.is(await refused([ground, ...moved]), undefined, 'all of them go')
  assert.is(await refused(unknown), undefined, 'nothing goes that they stand on')
  assert.is(await refused([{ ...ground, before: object }, ...unknown]), undefined, 'it is changed back, and stays')
  const problem = await refused([ground, ...unknown])
  assert.instance(problem, Problem)
  assert.match(problem.why, /^a-demo\/w1 moved in a run that no journal here knows/)
})

test('where no journal knows what has moved, nobody says that nothing stands', async () => {
  const moved = standing(rolling.history())
  const asked = (known: ToUndo[], namespace = 'a-demo') => {
    const { kubeconfig, kube } = rolling.cluster
    const context = { context: 'rolling', tenants: [{ namespace }], cluster: { kubeconfig } }
    const session = { context, clients: { kube: () => kube }, state: '/nonexistent' } as unknown as Session
    return refuseUnknown(session, known).catch(it => it)
  }
  assert.is(await asked(moved), undefined)
  assert.is(await asked([], 'b-demo'), undefined)
  const problem = await asked([])
  assert.instance(problem, Problem)
  assert.match(problem.why, /^a-demo\/w0, a-demo\/w1, a-demo\/w2 moved in runs of another machine/)
})

const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'egress-proxy', namespace: 'a-demo' } }
const tenants = [{ tenant: 'a', namespace: 'a-demo' }]

test('where nobody can tell who stands on it, it stays', async () => {
  const { kubeconfig } = rolling.cluster
  const moved = standing(rolling.history())
  const ground = { ...moved[0]!, step: 'kube-object/x', kind: 'kube-object', want: { kubeconfig, object: settings } }
  const silent = {
    list: async () => Promise.reject(new KubeProblem('no answer', '-', '-', 503)),
  }
  const session = { context: { context: 'rolling', tenants }, clients: { kube: () => silent } } as unknown as Session
  const { goes, stays, problem } = await withoutGround(session, [{ ...ground, before: null }, ...moved])
  assert.equal([goes.length, stays.map(it => it.step)], [3, ['kube-object/x']])
  assert.is(problem?.message, 'no answer')
})

test('a rollout that is taken back by itself leaves standing what a run of another machine needs', async () => {
  const { kubeconfig, kube } = rolling.cluster
  const state = mkdtempSync(join(tmpdir(), 'ground-'))
  const made = await kube.apply({ ...settings, data: { a: 'b' } })
  const journal = openJournal(state, 'r')
  const change = { action: 'create' as const, summary: 'x' }
  const ground = { step: 'kube-object/x', kind: 'kube-object', group: 'rollout/gateway', needs: [] }
  journal.record({ event: 'started', ...ground, want: { kubeconfig, object: settings }, before: null, change })
  const now = { uid: made.metadata.uid!, object: settings, owned: null, managers: [], earlier: [] }
  journal.record({ event: 'done', step: ground.step, now: now as never })
  for (const { time: _time, run: _run, ...entry } of rolling.history())
    if ('step' in entry && !entry.step.endsWith('w1')) journal.record(entry as never)
  const said: string[] = []
  const output = { say: (it: string) => void said.push(it), event() {}, hide() {} } as unknown as Session['output']
  const never = new AbortController().signal
  const context = { context: 'rolling', tenants, cluster: { kubeconfig }, ssh: {} } as unknown as Session['context']
  const clients = createClients(context, never, output, { root: '/', env: {} })
  const world = { clientsFor: clients.clientsFor, journal, watch() {}, stop: never, abort: never }
  const session = { context, state, clients, output, journal, world, run: 'r' } as unknown as Session
  try {
    const first = await takeBack(session)
    assert.equal([first.failures, first.left, first.undone.length], [[], [], 2])
    assert.equal(await rolling.moved(), ['w1'])
    assert.ok(await kube.get({ ...settings, ...settings.metadata }))
    assert.match(said.join('\n'), /note: kube-object\/x stays: a-demo\/w1 moved in a run that no journal here knows/)
    await kube.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'w1', namespace: 'a-demo' } })
    assert.equal(await rolling.moved(), [])
    assert.equal((await takeBack(session)).undone, ['kube-object/x'])
    assert.is(await kube.get({ ...settings, ...settings.metadata }), null)
  } finally {
    await clients.close()
    journal.close()
    rmSync(state, { recursive: true })
  }
})
