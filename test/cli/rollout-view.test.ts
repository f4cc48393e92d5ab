import * as assert from 'uvu/assert'
import type { Moved } from '../../playbooks/rollout.ts'
import { phaseOf } from '../../src/cli/commands/status.ts'
import { watchRollout } from '../../src/cli/commands/watch.ts'
import { runLine, stateOf, viewTable } from '../../src/cli/rollout/view.ts'
import type { Session } from '../../src/cli/session.ts'
import { noJournal } from '../../src/engine/journal.ts'
import type { Kube } from '../../src/rollout/kube/kube.ts'
import type { Pod, Workload } from '../../src/rollout/workload.ts'
import { kindOf, type Rollout } from '../../src/rollout/workloads/read.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: a rollout as it is now')

const pod = (name: string, { ready = true, leaving = false, restarts = 0, waiting = '' } = {}): Pod =>
  ({
    metadata: { name, namespace: 'n', ...(leaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    spec: { containers: [{ name: 'c' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [
        { name: 'c', ready, restartCount: restarts, ...(waiting && { state: { waiting: { reason: waiting } } }) },
      ],
    },
  }) as unknown as Pod

/** A Deployment of two pods, whose controller has seen it. */
const rollout = (labelled: boolean, current: Pod[], old: Pod[] = []): Rollout => {
  const labels: Record<string, string> = labelled ? { egress: 'external' } : {}
  const template = { metadata: { labels }, spec: { containers: [] } }
  const staying = current.filter(it => !it.metadata.deletionTimestamp)
  const ready = staying.filter(it => it.status?.conditions?.[0]?.status === 'True').length
  const counts = { replicas: staying.length + old.length, updatedReplicas: staying.length, availableReplicas: ready }
  const workload = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'w', namespace: 'n', generation: 2 } },
    spec: { replicas: 2, template },
    status: { observedGeneration: 2, readyReplicas: ready, ...counts },
  } as unknown as Workload
  return { workload, template, of: kindOf({ kind: 'Deployment' }), current, old }
}
/** A StatefulSet whose pods are renewed when somebody deletes them. */
const onDelete = (current: Pod[], old: Pod[]): Rollout => {
  const it = rollout(true, current, old)
  const spec = { ...it.workload.spec, updateStrategy: { type: 'OnDelete' } }
  return { ...it, of: kindOf({ kind: 'StatefulSet' }), workload: { ...it.workload, kind: 'StatefulSet', spec } }
}
const two = [pod('a'), pod('b')]

const cases: { when: string; now: Rollout | null; proved?: boolean; state: string; pods: string; waitsFor?: RegExp }[] =
  [
    { when: 'not there', now: null, state: 'not there', pods: '0/0+0', waitsFor: /deploy it/ },
    { when: 'not moved', now: rollout(false, two), state: 'start', pods: '2/2+0' },
    {
      when: 'on its way',
      now: rollout(true, [pod('a'), pod('b', { ready: false })], [pod('c')]),
      ...{ state: 'moving', pods: '1/2+1', waitsFor: /./ },
    },
    { when: 'there, and not proved', now: rollout(true, two), state: 'moved', pods: '2/2+0', waitsFor: /^its gates$/ },
    { when: 'there, and proved', now: rollout(true, two), proved: true, state: 'proved', pods: '2/2+0' },
    {
      when: 'crashing',
      now: rollout(true, [pod('a', { ready: false, restarts: 3, waiting: 'CrashLoopBackOff' }), pod('b')]),
      ...{ state: 'moving', pods: '1/2+0', waitsFor: /pod a: c restarted 3 times/ },
    },
    {
      when: 'moved, and its owner has to renew the pods',
      now: onDelete([], [pod('w-1'), pod('w-0')]),
      ...{ state: 'moved', pods: '0/0+2', waitsFor: /^2 pods keep their .*kubectl -n n delete pod w-1$/ },
    },
    {
      when: 'proved by the pods that were renewed',
      now: onDelete([pod('w-1')], [pod('w-0')]),
      ...{ proved: true, state: 'proved', pods: '1/1+1', waitsFor: /^1 pod keeps its .*delete pod w-0$/ },
    },
    {
      when: 'a pod that leaves counts for nothing',
      now: rollout(true, [...two, pod('c', { leaving: true })]),
      ...{ proved: true, state: 'proved', pods: '2/2+0' },
    },
    {
      when: 'a Job, which is left to finish',
      now: { ...rollout(false, [pod('a')]), of: kindOf({ kind: 'Job' }) },
      ...{ state: 'passed over', pods: '1/1+0' },
    },
  ]
for (const { when, now, proved = false, state, pods, waitsFor } of cases)
  test(`${when}: ${state}`, () => {
    const it = stateOf(now, proved)
    assert.equal([it.state, `${it.pods.ready}/${it.pods.all}+${it.pods.old}`], [state, pods])
    if (waitsFor) assert.match(it.waitsFor ?? '', waitsFor)
    else assert.is(it.waitsFor, null)
  })

test('a line on who is at it, and a table whose words are not cut', () => {
  const run = { holder: 'deploy by anna@a, process 1', since: '2026', lease: {} }
  assert.is(runLine(null), 'no run is under way')
  assert.is(runLine({ ...run, phase: 'canary' }), 'deploy by anna@a, process 1, since 2026: phase canary')
  const paused = { by: 'ben@b', since: '2027', why: 'ben@b asked for it' }
  assert.match(runLine({ ...run, phase: 'canary', paused }), /: paused by ben@b since 2027: ben@b asked for it$/)
  assert.match(runLine(run, true), /it is dead; deploy.mjs --resume goes on/)
  const text = viewTable([
    {
      ...{ tenant: 'a', workload: 'web', phase: 'canary', state: 'moved', pods: { ready: 1, all: 2, old: 3 } },
      ...{ verdict: "egress address is the tenant's own: pass", waitsFor: 'its gates' },
    },
  ])
  assert.match(text, /1\/2 +3 +its gates/)
  assert.match(text, /egress address is the tenant's own: pass/)
})

test('of a run that was limited it shows those tenants, in their own phases', async () => {
  const lease = (tenants?: string[]) => ({
    metadata: {
      annotations: tenants ? { 'kapsule-egress/rollout': JSON.stringify({ phase: 'canary', tenants }) } : {},
    },
    spec: { holderIdentity: 'deploy', leaseDurationSeconds: 15 },
  })
  const told = [lease(), lease(['b']), null]
  const kube = {
    get: async ({ kind }: { kind: string }) => (kind === 'Lease' ? told.shift() : null),
  } as unknown as Kube
  const context = {
    context: 'c',
    cluster: { kubeconfig: import.meta.filename },
    tenants: ['a', 'b'].map(it => ({ tenant: it, egress: { proxies: [] }, rollout: {} })),
  }
  const asked: string[] = []
  const session = {
    ...{ context, state: '/nowhere', world: { stop: AbortSignal.timeout(60_000) }, clients: { kube: () => kube } },
    output: { event() {}, data() {}, say() {}, summarise() {}, know() {}, json: false },
    ...{ flags: {}, run: '', command: 'status', journal: noJournal('') },
  } as unknown as Session
  await watchRollout(session, ({ tenants }) => {
    asked.push(tenants.map(it => it.tenant).join(' '))
    return []
  })
  assert.equal(asked, ['a b', 'b'])
})

for (const { when, kind = 'Deployment', live = {}, step = null, says } of [
  { when: 'moved', says: 'expand 1/2' },
  { when: 'not moved', step: {}, says: 'start' },
  { when: 'not there', live: null, says: 'not there' },
  { when: 'a Job', kind: 'Job', says: 'passed over' },
] as const)
  test(`the phase of what is ${when}`, () => {
    const move = { tenant: {}, workload: { kind, name: 'w' } } as unknown as Moved
    assert.is(phaseOf('expand 1/2', move, { live, step } as never), says)
  })
