import * as assert from 'uvu/assert'
import { flexibleIpKind } from '../../../src/scaleway/flexible-ip.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, drift, report } from '../network.ts'
import { recording, stage } from './stage.ts'

const { test, after } = suite('hazards/limits')
const open = stage({ after })

test('a quota that is used up is told with its number, and not tried again', async () => {
  const { clients, conditions } = await open()
  const { send, all } = recording()
  await flexibleIpKind.apply({ name: 'first' }, await clients(), null, report)
  conditions.set({ quotas: { instances_ips_count: 1 } })
  const scaleway = await clients('sandbox', { fetch: send })
  const problem = await flexibleIpKind.apply({ name: 'second' }, scaleway, null, report).catch(it => it)
  assert.match(problem.message, /a quota is used up: instances_ips_count/)
  assert.match(problem.why, /instances_ips_count: 1 of 1 are in use/)
  assert.match(problem.next, /organization\/quotas/)
  assert.is(all('POST', /\/ips$/).length, 1)
  assert.is((await census(await clients())).ips, 1)
})

test('a deploy that met a quota goes on from there once there is room', async () => {
  const { clients, conditions, wishes } = await open()
  conditions.set({ quotas: { k8s_clusters_count: 0 } })
  assert.match((await deploy(await clients(), wishes()).catch(it => it)).message, /k8s_clusters_count/)
  const before = await census(await clients())
  conditions.clear()
  const { done } = await deploy(await clients(), wishes())
  assert.equal(
    done.filter(it => it.action).map(it => it.kind.name),
    ['cluster', 'pool', 'kubeconfig'],
  )
  assert.is((await census(await clients())).vpcs, before.vpcs)
  assert.equal(await drift(await clients(), wishes()), [])
})

test('the rate limit slows a deploy down and fails nothing', async () => {
  const { clients, conditions, wishes } = await open()
  conditions.set({ rateLimit: { perSecond: 40 } })
  const { done } = await deploy(await clients('sandbox', { baseMs: 50, capMs: 500 }), wishes())
  conditions.clear()
  assert.ok(done.every(it => it.action === 'create'))
  assert.equal(await drift(await clients(), wishes()), [])
})
