import * as assert from 'uvu/assert'
import { refuseLosingGround, refuseUnknown } from '../../src/cli/ground.ts'
import type { Session } from '../../src/cli/session.ts'
import { Problem } from '../../src/engine/problem.ts'
import { standing, type ToUndo } from '../../src/engine/undo.ts'
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
    const context = { context: 'rolling', tenants: [{ namespace }] }
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
