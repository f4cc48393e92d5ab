import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { createClients } from '../../src/cli/clients.ts'
import { adoptedFrom, othersAmong } from '../../src/cli/rollout/adopt.ts'
import { movedIn } from '../../src/cli/rollout/ground.ts'
import { takeBack } from '../../src/cli/rollout/open.ts'
import type { Session } from '../../src/cli/session.ts'
import { openJournal } from '../../src/engine/journal.ts'
import type { Json } from '../../src/engine/json.ts'
import type { Seen } from '../../src/engine/plan.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'
import { createRolling } from './rolling.ts'

const { test, before, after } = suite('cli: a rollout whose journal is lost')
let rolling: Awaited<ReturnType<typeof createRolling>>
before(async () => {
  rolling = await createRolling()
})
after(() => rolling?.close())

const phase = (name: string, kinds: string[], proves = false) =>
  ({
    name,
    desired: kinds.map(it => ({ id: `${it}/x`, kind: { name: it } })),
    ...(proves && { proves: [] }),
  }) as unknown as RolloutPhase
const owned = { metadata: { name: 'x' } }
const ours = { metadata: { name: 'x', labels: { 'app.kubernetes.io/managed-by': 'kapsule-egress' } } }
const moved = { uid: 'u', label: 'external', owned, earlier: [], details: [] }

for (const { what, kind, live, want = {}, before: gone } of [
  {
    what: 'a workload that moved',
    kind: 'workload-egress',
    live: moved,
    before: { ...moved, label: null, owned: null },
  },
  { what: 'a workload that did not', kind: 'workload-egress', live: { ...moved, label: null, owned: null } },
  { what: 'an object of ours', kind: 'kube-object', live: { uid: 'u', object: ours, owned }, before: null },
  {
    what: "somebody's object, of which some fields are ours",
    ...{ kind: 'kube-object', live: { uid: 'u', object: owned, owned } },
    before: { uid: 'u', object: owned, owned: null, earlier: [] },
  },
  { what: "somebody's object", kind: 'kube-object', live: { uid: 'u', object: ours, owned: null } },
  { what: 'what is not there', kind: 'kube-object', live: null },
  { what: 'an admission policy', kind: 'admission-policy', live: { left: null }, before: null },
  { what: 'a cluster without any', kind: 'admission-policy', live: { left: 'too old' } },
  {
    what: 'entries in a list, by their mark',
    ...{ kind: 'allowlist-addition', want: { mark: 'm' } },
    live: {
      entries: [
        { range: '1', description: 'm' },
        { range: '2', description: 'theirs' },
      ],
    },
    before: { entries: [{ range: '2', description: 'theirs' }] },
  },
  { what: 'a list without ours', kind: 'allowlist-addition', want: { mark: 'm' }, live: { entries: [] } },
  { what: 'a certificate, which is never ours', kind: 'client-secret', live: { subject: 'x' } },
] as { what: string; kind: string; live: Json; want?: Json; before?: Json | null }[])
  test(`${what}: ${gone === undefined ? 'stays' : gone === null ? 'goes' : 'is given up'}`, () => {
    const seen = new Map([[`${kind}/x`, { parents: [], want, live, step: null } as unknown as Seen]])
    const { entries, unseen } = adoptedFrom([phase('canary', [kind])], seen, [], new Set())
    const [first] = entries
    if (gone === undefined) assert.equal([entries, unseen], [[], []])
    else assert.equal(first?.event === 'started' && first.before, gone)
    assert.equal(adoptedFrom([phase('canary', [kind])], seen, [], new Set([`${kind}/x`])).entries, [])
  })

test('a list is wide again before the first workload goes back, and only where one has moved', () => {
  const phases = [phase('canary', ['workload-egress']), phase('allowlist', ['allowlist-removal'], true)]
  const removal = {
    parents: ['workload-egress/x'],
    want: { range: '198.51.100.7/32' },
    live: { entry: null },
    step: null,
  }
  const at = (live: Json): Map<string, Seen> => {
    const mover = { parents: [], want: {}, live, step: null }
    return new Map<string, unknown>([
      ['workload-egress/x', mover],
      ['allowlist-removal/x', removal],
    ]) as Map<string, Seen>
  }
  const other = { want: { namespace: 'n', kind: 'Deployment', name: 'other' }, live: moved } as never
  const { entries, steps } = adoptedFrom(phases, at(moved), [other], new Set())
  assert.equal(steps, ['workload-egress/x', 'workload-egress/n/other', 'allowlist-removal/x'])
  const last = entries.at(-2)!
  assert.equal(last.event === 'started' && last.needs.toSorted(), [
    ...['workload-egress/n/other', 'workload-egress/x', 'workload-egress/x'],
  ])
  assert.equal(adoptedFrom(phases, at({ ...moved, label: null }), [], new Set()).steps, [])
  const blind = { parents: [], want: {}, live: null, step: { unknown: ['cluster'] } } as unknown as Seen
  assert.equal(adoptedFrom([phases[0]!], new Map([['workload-egress/x', blind]]), [], new Set()).unseen, [
    { step: 'workload-egress/x', why: 'it takes values of cluster' },
  ])
})

test('what moved is taken back to what it was, without the journal of the run that moved it', async () => {
  const { kube, kubeconfig } = rolling.cluster
  const specs = async () => {
    const all = await kube.list<{ spec: object }>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a-demo' })
    return all.items.map(it => it.spec)
  }
  const start = await specs()
  const words = { order: ['w0', 'w1'] }
  const run = await rolling.start(words)
  assert.is(await run.ended, undefined, run.lines.join('\n'))
  const state = mkdtempSync(join(tmpdir(), 'adopt-'))
  const never = new AbortController().signal
  const tenants = [{ tenant: 'a', namespace: 'a-demo' }]
  const context = { context: 'rolling', tenants, cluster: { kubeconfig }, ssh: {} } as unknown as Session['context']
  const output = { say() {}, event() {}, hide() {} } as unknown as Session['output']
  const clients = createClients(context, never, output, { root: '/', env: {} })
  const journal = openJournal(state, 'r')
  const world = { clientsFor: clients.clientsFor, journal, watch() {}, stop: never, abort: never }
  let seen = new Map<string, Seen>()
  let phases: RolloutPhase[] = []
  const looking = await rolling.start(words, async ({ plan, site }) => {
    seen = new Map(plan.seen)
    phases = site.phases
  })
  assert.is(await looking.ended, undefined)
  try {
    const { entries, steps } = adoptedFrom(phases, seen, [], new Set())
    assert.equal(steps, ['workload-egress/a-demo/w0', 'workload-egress/a-demo/w1'])
    for (const it of entries) journal.record(it)
    const undone = await takeBack({ context, state, clients, output, journal, world, run: 'r' } as unknown as Session)
    assert.equal([undone.failures, undone.undone.length], [[], 2])
    assert.equal(await specs(), start)
  } finally {
    await clients.close()
    journal.close()
    rmSync(state, { recursive: true })
  }
})

test('a workload with credentials in our variables is given up, and they are not journalled', async () => {
  const { kube, kubeconfig } = rolling.cluster
  let [seen, phases]: [Map<string, Seen>, RolloutPhase[]] = [new Map(), []]
  const words = { order: ['w0', 'w1'] }
  const run = await rolling.start(words)
  assert.is(await run.ended, undefined, run.lines.join('\n'))
  const looking = await rolling.start(words, async ({ plan, site }) => {
    seen = new Map(plan.seen)
    phases = site.phases
  })
  assert.is(await looking.ended, undefined)
  const at = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a-demo', name: 'w1' }
  const env = [{ name: 'HTTP_PROXY', value: 'http://anna:hunter2@proxy.example' }]
  const spec = { template: { spec: { containers: [{ name: 'c', env }] } } }
  await kube.patch(at, { strategic: { spec } as never }, { manager: 'kubectl-edit' })
  const step = 'workload-egress/a-demo/w1'
  const problem = new Problem('not moved', { why: 'HTTP_PROXY holds credentials', next: 'take them out' })
  seen.set(step, { ...seen.get(step)!, live: null, problem })
  assert.match(adoptedFrom(phases, seen, [], new Set()).unseen[0]!.why, 'HTTP_PROXY holds credentials; take them out')
  const others = await othersAmong(kube, kubeconfig, await movedIn(kube, 'a-demo'), seen)
  const { entries, steps, unseen } = adoptedFrom(phases, seen, others, new Set())
  assert.equal([steps, unseen], [['workload-egress/a-demo/w0', step], []])
  assert.not.match(JSON.stringify(entries), 'hunter2')
})
