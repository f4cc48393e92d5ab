import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { runPhase } from '../../src/cli/rollout.ts'
import type { Entry } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'
import { thing } from '../support/things.ts'
import { stagedWith } from './staged.ts'

const { test } = suite('cli: a phase of a rollout')

const at = (name: string) => ({ name: `proxy-${name}`, privateIp: '192.0.2.1' })
const tenant = (name: string) => ({
  tenant: name,
  namespace: name,
  // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits a tenant
  rollout: { canary: { kind: 'Deployment', name: 'web' }, then: { soak: '0s' } },
  egress: { proxy: at(name), proxies: [at(name)], through: 'address' },
})
const tenants = [tenant('a'), tenant('b')]
const [web, api] = ['a/web', 'b/web'].map(it => thing(`workload-egress/${it}`))

/** One phase that moves a workload of each tenant, in a cluster that notes who is asked for and then breaks. */
const phased = async (name: string, tags: string) => {
  const staged = await stagedWith([web!, api!], { argv: ['--tags', tags] })
  const asked: string[] = []
  const lines: Entry[] = []
  const kube = {
    async get({ namespace }: { namespace: string }) {
      asked.push(namespace)
      throw new Error('the cluster was asked')
    },
  }
  const { session, site } = staged
  Object.assign(session, {
    context: { tenants, cluster: {}, verify: { echo: [], forbidden: '' } },
    clients: { kube: () => kube },
    output: { know() {}, event() {} },
    journal: { record: (it: Entry) => lines.push(it) },
    state: '/nonexistent',
  })
  Object.assign(site, { ids: { proxies: [] } })
  const moves = tenants.map(it => ({ tenant: it, workload: it.rollout.canary }))
  const phase = { name, desired: [web, api], moves } as unknown as RolloutPhase
  return { asked, lines, run: () => runPhase(staged, phase, () => undefined) }
}

const fails = async (run: () => Promise<unknown>) => {
  const error = await run().then(
    () => undefined,
    (it: Error) => it.message,
  )
  assert.is(error, 'the cluster was asked')
}

for (const name of ['canary', 'expand 1/1'])
  test(`${name}: a phase that --tags leave out asks no cluster, and has not passed`, async () => {
    const { asked, lines, run } = await phased(name, 'gateway')
    const { ok, summary } = await run()
    assert.equal([ok, summary, asked, lines], [true, 'left out', [], []])
  })

for (const [name, what] of [
  ['canary', 'the address before'],
  ['expand 1/1', 'the gates'],
] as const)
  test(`${what}: only of the workloads that --tags leave in`, async () => {
    const one = await phased(name, 'b/web')
    await fails(one.run)
    assert.equal(one.asked, ['b'])
    const both = await phased(name, 'workload-egress')
    await fails(both.run)
    assert.equal(both.asked, ['a', 'b'])
  })
