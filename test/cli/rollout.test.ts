import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { isCutShort, isForPerson, type PhaseEnd, runPhase, undecided } from '../../src/cli/rollout/phase.ts'
import type { Session } from '../../src/cli/session.ts'
import type { Entry } from '../../src/engine/journal.ts'
import { fail, inconclusive, type Verdict } from '../../src/rollout/gates/measure.ts'
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
  Object.assign(site, { ids: { proxies: [], gateways: [] } })
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

/** A phase that ended so, of tenants `a` with patience, `b` without, and `c` that asks a person. */
const ended = (failed: [tenant: string, verdict: Verdict][], interrupted = false) => {
  const stop = new AbortController()
  if (interrupted) stop.abort()
  const patience = (tenant: string, then?: string) => ({
    tenant,
    rollout: then ? { inconclusive: { within: '1m', then } } : {},
  })
  const session = {
    context: { tenants: [patience('a', 'rollback'), patience('b'), patience('c', 'ask')] },
    world: { stop: stop.signal },
  } as unknown as Session
  const end = {
    failed: failed.map(([tenant, verdict]) => ({ tenant, workload: 'web', gate: 'g', verdict })),
  } as unknown as PhaseEnd
  return { forPerson: isForPerson(session, end), cutShort: isCutShort(session, end), end }
}

const unclear = inconclusive('who knows')
for (const { when, failed, interrupted, forPerson = false, cutShort = false } of [
  { when: 'silence of a tenant that asks', failed: [['c', unclear]], forPerson: true },
  { when: 'a failure of it', failed: [['c', fail('no')]] },
  { when: 'silence of one that rolls back', failed: [['a', unclear]] },
  { when: 'silence of one without a word', failed: [['b', unclear]] },
  { when: 'silence of both', failed: [['a', unclear], ['c', unclear]] }, // biome-ignore format: a table
  { when: 'an interrupted pause', failed: [['a', unclear]], interrupted: true, cutShort: true },
  { when: 'an interrupt and a failure', failed: [['a', fail('no')]], interrupted: true },
  { when: 'an interrupt without patience', failed: [['b', unclear]], interrupted: true },
  { when: 'an interrupt alone', failed: [], interrupted: true, cutShort: true },
  { when: 'nothing', failed: [] },
] as { when: string; failed: [string, Verdict][]; interrupted?: boolean; forPerson?: boolean; cutShort?: boolean }[])
  test(`a phase is left for a person, or cut short: ${when}`, () => {
    const it = ended(failed, interrupted)
    assert.equal([it.forPerson, it.cutShort], [forPerson, cutShort])
  })

test('who is left with an undecided phase is told how to go on', () => {
  const { end } = ended([['c', unclear]])
  const { message, why, next, exit } = undecided({ name: 'canary', desired: [], moves: [] }, end, '7f3a')
  assert.match(`${message} ${why}`, /canary is not decided: c\/web g: who knows/)
  assert.match(next, /deploy.mjs --resume 7f3a.*rollback.ts/)
  assert.is(exit, 1)
})
