import * as assert from 'uvu/assert'
import { openRollout } from '../../src/cli/rollout/open.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import type { Context } from '../../src/inventory/context.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: rollouts that passed whole')

const tenants = ['a', 'b'].map(it => ({ tenant: it, namespace: it })) as unknown as Context['tenants']
const moved = (name: string): Entry => {
  const [namespace] = name.split('/')
  const step = { step: `workload-egress/${name}`, kind: 'workload-egress', group: 'rollout/canary', needs: [] }
  return { event: 'started', ...step, want: { namespace: namespace! }, before: { label: null } } as unknown as Entry
}
const passed = (data: { tenants: string[] } | null): Entry => ({ event: 'note', topic: 'rollout-passed', data })

for (const { when, lines, open } of [
  { when: 'nothing passed', lines: [moved('a/web'), moved('b/web')], open: ['a/web', 'b/web'] },
  { when: 'all passed', lines: [moved('a/web'), moved('b/web'), passed(null)], open: [] },
  { when: 'one passed alone', lines: [moved('a/web'), moved('b/web'), passed({ tenants: ['a'] })], open: ['b/web'] },
  {
    when: 'one passed alone and goes on',
    lines: [moved('a/web'), passed({ tenants: ['a'] }), moved('b/web'), moved('a/api')],
    open: ['b/web', 'a/api'],
  },
])
  test(`${when}: open are ${open.join(', ') || 'none'}`, () => {
    const history = lines.map((it, at): Recorded => ({ time: '', run: String(at), ...it }))
    const steps = openRollout(history, { tenants }).map(it => it.step)
    assert.equal(
      steps,
      open.map(it => `workload-egress/${it}`),
    )
  })
