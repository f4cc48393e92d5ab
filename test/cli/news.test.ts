import * as assert from 'uvu/assert'
import { createReporter } from '../../src/cli/rollout/news.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: what is told of a rollout')

const want = { kubeconfig: 'k', namespace: 'a-demo', kind: 'Deployment', name: 'web' }
const id = 'workload-egress/a-demo/web'
const started = (group: string, step = id, kind = 'workload-egress'): Entry => ({
  ...{ event: 'started', step, kind, group, needs: [], want, before: { uid: 'u1' } },
  change: { action: 'update', summary: '' },
})
const done = (step = id): Entry => ({ event: 'done', step, now: { uid: 'u2' } })
const note = (topic: string, data: object | null = null): Entry => ({ event: 'note', topic, data: data as never })
const gate = (verdict: string, more = {}) =>
  note('gate', { tenant: 'a', workload: 'web', gate: 'g', verdict: { verdict, reason: 'r' }, ...more })
const passed = (group: string) => note('phase-passed', { group, tenants: ['a'], workloads: [id] })
const back: Entry[] = [
  { event: 'undoing', step: id },
  { event: 'undone', step: id },
]
const ended = (status: string): Entry => ({ event: 'run-ended', status })

const canary = 'rollout/canary'
const told = (lines: Entry[], history: Recorded[] = []) => {
  const reporter = createReporter(() => history)
  const heard = lines.map(it => reporter.heard(it))
  return {
    news: heard.flatMap(it => it.news.map(({ event, phase, why }) => [event, phase, why].filter(Boolean).join(' '))),
    sightings: heard.flatMap(it => it.sightings.map(({ reason, uid, want: { name } }) => `${reason} ${name} ${uid}`)),
  }
}

for (const { when, lines, news, sightings = [] } of [
  { when: 'a run that has nothing to do', lines: [note('rollout-passed'), ended('ok')], news: [] },
  { when: 'a run that fails before a rollout', lines: [started('gateway', 'vpc/x', 'vpc'), ended('failed')], news: [] },
  {
    when: 'a rollout that passes',
    lines: [started(canary), done(), gate('pass'), passed(canary), note('rollout-passed'), ended('ok')],
    news: ['phase-begun canary', 'phase-passed canary', 'rollout-passed'],
    sightings: ['EgressMoved web u2', 'EgressVerified web u2'],
  },
  {
    when: 'one whose gate fails, of several',
    lines: [
      started(canary),
      done(),
      gate('fail', { dryRun: true }),
      gate('fail'),
      gate('fail'),
      ...back,
      ended('rolled-back'),
    ],
    news: ['phase-begun canary', 'phase-failed canary a/web: g: r', 'taking-back', 'rolled-back'],
    sightings: ['EgressMoved web u2', 'EgressRolledBack web u2'],
  },
  {
    when: 'one of whose tenants some are aborted',
    lines: [
      ...[started(canary), done(), ...back, note('set-aside', { tenants: ['a'], others: ['b'] })],
      ...[started('rollout/expand 1/1'), note('rollout-passed', { tenants: ['b'] }), ended('rolled-back')],
    ],
    news: [
      ...['phase-begun canary', 'taking-back', 'rolled-back', 'phase-begun expand 1/1', 'rollout-passed'],
      'run-ended rolled-back',
    ],
    sightings: ['EgressMoved web u2', 'EgressRolledBack web u2'],
  },
  {
    when: 'one that gets stuck on its way back',
    lines: [started(canary), { event: 'failed', step: id, error: 'no' } as Entry, back[0]!, ended('stuck')],
    news: ['phase-begun canary', `phase-failed canary ${id}: no`, 'taking-back', 'run-ended stuck'],
  },
  {
    when: 'one that pauses, goes on, and is aborted',
    lines: [
      note('phase-paused', { group: 'rollout/expand 1/1', by: 'the inventory', until: null }),
      note('phase-promoted', { group: 'rollout/expand 1/1' }),
      note('asked', { what: 'pause', by: 'anna' }),
      note('asked', { what: 'abort', by: 'anna' }),
    ],
    news: ['paused expand 1/1 until --promote or --resume', 'resumed expand 1/1', 'abort-asked'],
  },
  {
    when: 'a workload that goes with its cluster',
    lines: [started(canary), done(), { event: 'undone', step: id } as Entry],
    news: ['phase-begun canary'],
    sightings: ['EgressMoved web u2'],
  },
])
  test(when, () => assert.equal(told(lines), { news, sightings }))

test('what an earlier run moved is told of when it is taken back, by its last uid', () => {
  const history = [started(canary), done()].map((it): Recorded => ({ time: '', run: '1', ...it }))
  const news = ['taking-back', 'rolled-back']
  assert.equal(told([...back, ended('ok')], history), { news, sightings: ['EgressRolledBack web u2'] })
})
