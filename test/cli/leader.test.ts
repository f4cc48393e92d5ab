import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createLeadership, leadEarly } from '../../src/cli/rollout/leader.ts'
import { openJournal } from '../../src/engine/journal.ts'
import type { Context } from '../../src/inventory/context.ts'
import { ledFirewalls } from '../../src/rollout/allowlist/firewalls.ts'
import { createKubes } from '../../src/rollout/kube/kube.ts'
import { type LeaseObject, leaseOf, NotLeader } from '../../src/rollout/kube/lease.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { startCluster } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('cli: the lead in a cluster')
const state = mkdtempSync(join(tmpdir(), 'leader-'))
let one: Awaited<ReturnType<typeof startCluster>>
let two: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  one = await startCluster()
  two = await startCluster()
})
after(async () => {
  await one?.close()
  await two?.close()
  rmSync(state, { recursive: true })
})

const silent = () => new KubeProblem('get: no answer', '', '', 0)
let runs = 0
const output = { say: () => undefined, event: () => undefined }
/** One run that takes the lead there and lets go. */
const lead = async (cluster: typeof one, name: string, given?: string) => {
  const run = `2026-${String(runs++).padStart(3, '0')}`
  const journal = openJournal(state, run)
  const context = { context: name, cluster: { kubeconfig: given } } as unknown as Context
  const signal = new AbortController().signal
  const leadership = createLeadership({ command: 'deploy', run, state, context, journal, abort: signal }, output)
  try {
    const held = await leadership.of(given ?? cluster.kubeconfig, cluster.kube)
    await held.check()
  } finally {
    await leadership.release()
    journal.close()
  }
}

test('a cluster of ours that was made anew is another one; both are led', async () => {
  await lead(one, 'made')
  await lead(two, 'made')
  await lead(one, 'made')
})

test('a cluster that is made anew in the course of a run is led by a client of its own', async () => {
  const path = join(state, 'anew')
  copyFileSync(one.kubeconfig, path)
  const run = '2026-anew'
  const journal = openJournal(state, run)
  const context = { context: 'anew', cluster: {} } as unknown as Context
  const signal = new AbortController().signal
  const leadership = createLeadership({ command: 'deploy', run, state, context, journal, abort: signal }, output)
  const kubes = createKubes()
  const first = kubes(path)
  await leadership.of(path, first)
  assert.is(kubes(path), first)
  copyFileSync(two.kubeconfig, path)
  const second = kubes(path)
  assert.is.not(second, first)
  await (await leadership.of(path, second)).check()
  const calls: string[] = []
  const list = { add: async () => void calls.push('add'), remove: async () => void calls.push('remove') }
  const firewall = (leads: () => Promise<void>) => ledFirewalls((() => list) as never, leads)({} as never)
  await firewall(leadership.check).add({ range: '192.0.2.1/32', description: '' })
  const lost = async () => Promise.reject(new NotLeader('lost', { why: '', next: '', exit: 4 }))
  for (const change of [() => firewall(lost).add({} as never), () => firewall(lost).remove('')])
    assert.instance(await change().catch(it => it), NotLeader)
  assert.equal(calls, ['add'])
  const holders = async () =>
    Promise.all(
      [one, two].map(async ({ kube }) => (await kube.get<LeaseObject>(leaseOf('anew')))?.spec?.holderIdentity),
    )
  assert.match((await holders())[1] ?? '', /^deploy by /)
  await leadership.release()
  assert.equal(await holders(), [undefined, undefined])
  await kubes.close()
  journal.close()
})

test('another cluster behind a kubeconfig that was given is told, and nothing is written to it', async () => {
  const given = join(state, 'given')
  copyFileSync(one.kubeconfig, given)
  await lead(one, 'given', given)
  await lead(one, 'given', given)
  copyFileSync(two.kubeconfig, given)
  const problem = await lead(two, 'given', given).catch(it => it)
  assert.is(problem.exit, 1)
  assert.match(problem.message, /leads to another cluster than before/)
  assert.match(problem.why, /run 2026-003 saw/)
  assert.match(problem.next, /nothing was touched/)
  assert.is(await two.kube.get(leaseOf('given')), null)
})

for (const { what, thrown, told } of [
  { what: 'a cluster that does not answer is led later', thrown: silent(), told: false },
  { what: 'one that another leads is told', thrown: new NotLeader('held', { why: '', next: '', exit: 4 }), told: true },
])
  test(what, async () => {
    const clients = { lead: () => Promise.reject(thrown) }
    const context = { cluster: { kubeconfig: one.kubeconfig } } as unknown as Context
    const session = { context, state, clients }
    const seen = await leadEarly(session).catch(it => it)
    assert.is(seen, told ? thrown : undefined)
  })
