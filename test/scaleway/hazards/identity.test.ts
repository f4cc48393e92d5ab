import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { kubeconfigKind } from '../../../src/scaleway/kubeconfig.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, drift, report } from '../network.ts'
import { recording, stage } from './stage.ts'

const { test, after } = suite('hazards/identity')
const open = stage({ after })

test('names are not unique, so twins can be: they are a Problem that names both', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const { id } = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  const { tags } = await scaleway.vpc.getVPC({ vpcId: id })
  const twin = await scaleway.vpc.createVPC({ name: 'egress', tags, enableRouting: true })
  for (const act of [
    () => vpcKind.read({ name: 'egress' }, scaleway, report),
    () => vpcKind.apply({ name: 'egress' }, scaleway, null, report),
  ]) {
    const problem = (await act().catch(it => it)) as Problem
    assert.instance(problem, Problem)
    for (const one of [id, twin.id]) assert.match(problem.why, one)
  }
})

test('a list may lag behind a create: a POST in doubt is looked for before it is repeated', async () => {
  const { clients, conditions, trace } = await open()
  conditions.set({
    lagMs: 700,
    faults: [{ on: { method: 'POST', path: '/vpc/**' }, times: 1, do: { cut: 'after' } }],
  })
  await vpcKind.apply({ name: 'egress' }, await clients(), null, report)
  conditions.clear()
  assert.is((await census(await clients())).vpcs, 1)
  assert.is(trace.calls().filter(it => it.method === 'POST').length, 1)
})

test('a POST that had no effect is made again, once', async () => {
  const { clients, conditions, trace } = await open()
  conditions.set({ faults: [{ on: { method: 'POST', path: '/vpc/**' }, times: 1, do: { cut: 'before' } }] })
  await vpcKind.apply({ name: 'egress' }, await clients(), null, report)
  assert.is((await census(await clients())).vpcs, 1)
  assert.is(trace.calls().filter(it => it.method === 'POST').length, 2)
})

test('looks that show how it was make no twins', async () => {
  const { clients, conditions, wishes } = await open()
  const calm = await open()
  await deploy(await calm.clients(), calm.wishes())
  conditions.set({ staleMs: 250 })
  await deploy(await clients(), wishes())
  conditions.clear()
  assert.equal(await census(await clients()), await census(await calm.clients()))
  assert.equal(await drift(await clients(), wishes()), [])
  const volumes = await (await clients()).block.listVolumes({ tags: ['egress-name=proxy'], includeDeleted: false })
  assert.is(volumes.totalCount, 1, 'the root volume was tracked although it was not to be seen at first')
})

test('a list from before a write is not believed after it', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  assert.is(await vpcKind.read({ name: 'egress' }, scaleway, report), null)
  const { id } = await vpcKind.apply({ name: 'egress' }, scaleway, null, report)
  assert.is((await vpcKind.read({ name: 'egress' }, scaleway, report))?.id, id)
})

test('what is attached already is not attached again: a second apply writes nothing', async () => {
  const { clients, wishes } = await open()
  const { done } = await deploy(await clients(), wishes())
  const { send, sent } = recording()
  const scaleway = await clients('sandbox', { fetch: send })
  for (const { kind, want, now } of done) if (kind !== kubeconfigKind) await kind.apply(want, scaleway, now, report)
  assert.equal(
    sent.filter(it => it.method !== 'GET').map(it => `${it.method} ${it.path}`),
    [],
  )
})
