import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { destroy } from '../../src/cli/commands/destroy.ts'
import { parse } from '../../src/cli/flags.ts'
import { createOutput } from '../../src/cli/output.ts'
import type { Session } from '../../src/cli/session.ts'
import { openJournal, readJournals } from '../../src/engine/journal.ts'
import type { Problem } from '../../src/engine/problem.ts'
import { type Held, NotLeader } from '../../src/rollout/kube/lease.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { oneStage } from '../scaleway/hazards/stage.ts'
import { census, deploy, drift } from '../scaleway/network.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('cli: destroy')

const cloud = oneStage({ before, after })
before(async () => {
  await deploy(await cloud.clients(), wishes())
})
const wishes: typeof cloud.wishes = more => cloud.wishes(more)

const context = {
  context: 'sandbox',
  network: { vpc: 'egress', privateNetwork: { name: 'egress' } },
  gateway: { name: 'egress' },
  cluster: { name: 'shared', pools: [] },
  tenants: [],
}

type Lead = (kubeconfig: string) => Promise<Pick<Held, 'check' | 'forget'>>

let runs = 0
/** One `destroy` as the command runs it: on a real journal and the emulated API. */
const run = async (
  argv: string[],
  over: { state?: string; context?: object; stop?: AbortController; onLine?: (line: string) => void; lead?: Lead } = {},
) => {
  const [out, err]: [string[], string[]] = [[], []]
  const into = (lines: string[]) => ({
    write(text: string) {
      lines.push(...text.trimEnd().split('\n'))
      over.onLine?.(text)
      return true
    },
  })
  const scaleway = await cloud.clients()
  const { state = cloud.dir } = over
  const journal = openJournal(state, `run-${++runs}`)
  const never = new AbortController()
  const { flags } = parse('destroy', argv, {})
  const session = {
    command: 'destroy',
    ...{ flags, journal, state },
    context: { ...context, ...over.context },
    output: createOutput({ json: flags.json, env: {} }, { stdout: into(out), stderr: into(err) }),
    clients: { scaleway: async () => scaleway, ...(over.lead && { lead: over.lead }) },
    world: {
      ...{ clientsFor: () => scaleway, journal, watch() {} },
      ...{ stop: (over.stop ?? never).signal, abort: never.signal },
    },
  } as unknown as Session
  const ended = await destroy(session).catch((error: Problem) => error)
  journal.close()
  return { ended, out, err }
}

const kindsIn = (lines: string[]) => lines.flatMap(it => /^ {2}- ([\w-]+)\//.exec(it)?.[1] ?? [])
const stands = async () => assert.equal(await drift(await cloud.clients(), wishes()), [])

test('--check lists everything in the order in which it can go, and touches nothing', async () => {
  const { ended, out } = await run(['--check'])
  assert.is(ended, 3)
  assert.is(
    kindsIn(out).join(' '),
    'pool cluster server flexible-ip security-group gateway-network gateway gateway-ip ipam-address private-network vpc ssh-key',
  )
  await stands()
})

for (const { when, protect, names } of [
  {
    when: 'the gateway',
    protect: { gateway: { name: 'egress', protect: true } },
    names: /gateway\/egress, gateway-ip\/egress/,
  },
  {
    when: 'the network',
    protect: { network: { ...context.network, protect: true } },
    names: /private-network\/egress, vpc\/egress/,
  },
  { when: 'all of it', protect: { protect: true }, names: /cluster\/shared/ },
]) {
  test(`protected is ${when}: --check says so, and no flag destroys anything`, async () => {
    const { out, err } = await run(['--check'], { context: protect })
    assert.ok(out.some(it => it.endsWith('protected: destroy refuses')))
    assert.match(err.join('\n'), 'destroy would refuse: this context has what must not be lost')
    const { ended } = await run(['--yes', '--force'], { context: protect })
    assert.is((ended as Problem).exit, 1)
    assert.match((ended as Problem).why, names)
    await stands()
  })
}

test("while a partner's list lets our addresses in, they are not given back unless by force", async () => {
  const want = { firewall: { provider: 'crunchybridge', network: 'n' }, namespace: 'a-demo' }
  const state = mkdtempSync(join(tmpdir(), 'destroy-'))
  const journal = openJournal(state, 'run-of-list')
  const change = { action: 'update' as const, summary: 'let in' }
  const step = { step: 'allowlist-addition/a', kind: 'allowlist-addition', group: 'rollout/gateway', needs: [], want }
  journal.record({ event: 'started', ...step, before: { entries: [] }, change })
  journal.record({ event: 'done', step: step.step, now: { entries: [] } })
  journal.record({
    event: 'note',
    topic: 'phase-passed',
    data: { group: 'rollout/gateway', tenants: [] },
  })
  const { ended } = await run(['--yes'], { state })
  assert.match((ended as Problem).message, /still lets our addresses in/)
  assert.match((ended as Problem).why, /allowlist-addition\/a/)
  await stands()
  journal.record({ event: 'undone', step: step.step })
  journal.close()
  const { err } = await run(['--check'], { state })
  assert.not.match(err.join('\n'), /still lets our addresses in/)
  rmSync(state, { recursive: true })
})

test('what stays in a cluster that was there before us is told', async () => {
  const tenants = [{ tenant: 'a', namespace: 'a-demo', workloads: [{ name: 'curl', demo: { replicas: 1 } }] }]
  const { out } = await run(['--check'], { context: { cluster: { kubeconfig: '/x/config', pools: [] }, tenants: [] } })
  assert.ok(out.includes('  stays the cluster of /x/config: it was there before us'))
  const withTenant = {
    cluster: { kubeconfig: '/x/config', pools: [] },
    tenants: tenants.map(it => ({ ...it, pool: { name: 'a' }, egress: { proxies: [{ name: 'proxy-a' }] } })),
  }
  const told = (await run(['--check'], { context: withTenant })).out.join('\n')
  assert.match(told, 'namespace a-demo with curl, which we made')
})

test('what is adopted stays, and is named as such', async () => {
  const adopted = {
    network: { privateNetwork: { name: 'egress', existing: { name: 'shared-net' } } },
    gateway: { name: 'egress', existing: { id: 'g-1' } },
    cluster: { name: 'shared', existing: { name: 'theirs' }, pools: [] },
  }
  const { out } = await run(['--check'], { context: adopted })
  assert.equal(
    out.filter(it => it.startsWith('  stays')),
    ['private network shared-net', 'gateway g-1', 'cluster theirs'].map(
      it => `  stays ${it}: adopted: it was there before us`,
    ),
  )
})

test('--json tells each thing, and what it will refuse, as data', async () => {
  const { out } = await run(['--check', '--json'], { context: { gateway: { name: 'egress', protect: true } } })
  const events = out.map(it => JSON.parse(it))
  const planned = events.filter(it => it.event === 'planned')
  assert.is(planned.length, 12)
  assert.equal(
    planned.filter(it => it.protected).map(it => it.step.split('/')[0]),
    ['gateway-network', 'gateway', 'gateway-ip'],
  )
  assert.equal(events.at(-1).changes.delete, 12)
})

const thief = new NotLeader('another machine changes this cluster', { why: 'a thief holds it', next: '-', exit: 4 })

test('while a run of another machine is under way nothing goes, also where no kubeconfig was here', async () => {
  const path = join(cloud.dir, 'kubeconfig')
  rmSync(path, { force: true })
  const asked: string[] = []
  const lead: Lead = async kubeconfig => {
    asked.push(readFileSync(kubeconfig, 'utf8'))
    throw thief
  }
  const { ended } = await run(['--yes', '--force'], { lead })
  assert.is((ended as Problem).exit, 4)
  assert.match(asked[0]!, 'current-context')
  assert.is(statSync(path).mode & 0o777, 0o600)
  await stands()
})

test('another machine that takes the lead meanwhile ends it before the next thing goes', async () => {
  let checks = 0
  const check = async () => {
    if (++checks > 1) throw thief
  }
  const { ended, err } = await run(['--yes'], { lead: async () => ({ check, forget() {} }) })
  assert.is((ended as Problem).exit, 4, String(ended))
  assert.is(err.filter(it => it.includes('undone')).length, 1, err.join('\n'))
})

test('the first Ctrl-C ends it with 130 and what is left; the next run goes on to the end', async () => {
  const stop = new AbortController()
  const { ended } = await run(['--yes'], { stop, onLine: text => text.includes('undone') && stop.abort() })
  assert.is((ended as Problem).exit, 130)
  assert.match((ended as Problem).why, /vpc\/egress/)
  const { servers, vpcs } = await census(await cloud.clients())
  assert.is(vpcs, 1)
  assert.ok((servers ?? 0) <= 1)
  const silent = new KubeProblem('no answer', 'it cannot be reached', '-', 0)
  const again = await run(['--yes'], { lead: () => Promise.reject(silent) })
  assert.is(again.ended, 0, String(again.ended))
  const left = Object.entries(await census(await cloud.clients())).filter(([, count]) => count > 0)
  assert.equal(left, [])
  assert.is((await run(['--yes'])).ended, 0, 'nothing to destroy')
})

test('the journal has every removal, with its ending', () => {
  const history = readJournals(cloud.dir)
  const began = history.flatMap(it => (it.event === 'undoing' ? [it.step] : []))
  const ended = history.flatMap(it => (it.event === 'undone' ? [it.step] : []))
  assert.ok(began.length >= 12)
  assert.equal(began.sort(), ended.sort())
})
