import * as assert from 'uvu/assert'
import { verifiedIn } from '../../src/cli/rollout/unverified.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: moved and not proved yet')

const id = 'workload-egress/a-demo/web'
const started = (group: string, step = id) =>
  ({ event: 'started', step, group, kind: 'workload-egress', needs: [], want: {}, before: null }) as unknown as Entry
const passed = (group: string, data: object = {}): Entry => ({
  event: 'note',
  topic: 'phase-passed',
  data: { group, tenants: ['a'], ...data },
})
const undone = (step = id): Entry => ({ event: 'undone', step })

for (const { when, lines, verified } of [
  { when: 'nobody knows of it', lines: [], verified: false },
  { when: 'moved', lines: [started('rollout/canary')], verified: false },
  { when: 'its phase passed', lines: [started('rollout/canary'), passed('rollout/canary')], verified: true },
  { when: 'another passed', lines: [started('rollout/expand 1/1'), passed('rollout/canary')], verified: false },
  {
    when: 'another, which names it, passed',
    lines: [started('rollout/expand 1/1'), passed('rollout/expand 1/2', { workloads: [id] })],
    verified: true,
  },
  {
    when: 'its phase passed, which does not name it',
    lines: [started('rollout/canary'), passed('rollout/canary', { workloads: ['workload-egress/a-demo/api'] })],
    verified: false,
  },
  {
    when: 'moved again since',
    lines: [started('rollout/canary'), passed('rollout/canary'), started('rollout/canary')],
    verified: false,
  },
  {
    when: 'taken back since',
    lines: [started('rollout/canary'), passed('rollout/canary'), undone()],
    verified: false,
  },
  {
    when: 'another was taken back since',
    lines: [started('rollout/canary'), passed('rollout/canary'), undone('workload-egress/a-demo/api')],
    verified: true,
  },
])
  test(`${when}: ${verified ? 'proved' : 'not proved'}`, () => {
    const history = lines.map((it, at): Recorded => ({ time: '', run: String(at), ...it }))
    assert.is(verifiedIn(history)(id, 'a'), verified)
  })
