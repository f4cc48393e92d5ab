import * as assert from 'uvu/assert'
import { phases } from '../../src/rollout/phases.ts'
import type { WorkloadRef } from '../../src/rollout/workload.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/phases')

const ref = (name: string): WorkloadRef => ({ kind: 'Deployment', name })
const plan = (tenant: string, names: string, batches: string[]) => ({
  tenant,
  canary: ref('c'),
  workloads: [...names].map(ref),
  batches,
})
const shown = (tenants: Parameters<typeof phases>[0]) =>
  phases(tenants).map(({ name, workloads }) => `${name}: ${workloads.map(it => `${it.tenant}/${it.name}`).join(' ')}`)

for (const { when, tenants, order } of [
  { when: 'only a canary', tenants: [plan('a', 'c', ['50%', '100%'])], order: ['gateway: ', 'canary: a/c'] },
  {
    when: 'percentages are cumulative and rounded up, in the declared order',
    tenants: [plan('a', 'xcyz', ['50%', '100%'])],
    order: ['gateway: ', 'canary: a/c', 'expand 1/2: a/x a/y', 'expand 2/2: a/z'],
  },
  {
    when: 'counts',
    tenants: [plan('a', 'vwxyz', ['1', '3', '100%'])],
    order: ['gateway: ', 'canary: a/c', 'expand 1/3: a/v', 'expand 2/3: a/w a/x', 'expand 3/3: a/y a/z'],
  },
  {
    when: 'tenants with different batches go together, and empty batches are none',
    tenants: [plan('a', 'cxy', ['100%']), plan('b', 'cz', ['10%', '100%']), plan('d', 'c', ['50%', '100%'])],
    order: ['gateway: ', 'canary: a/c b/c d/c', 'expand 1/1: a/x a/y b/z'],
  },
]) {
  test(when, () => assert.equal(shown(tenants), order))
}

test('every workload moves exactly once', () => {
  for (let size = 0; size < 12; size++) {
    const names = 'abdefghijklm'.slice(0, size)
    const moved = phases([plan('t', names, ['1%', '33%', '70%', '100%'])]).flatMap(it => it.workloads.map(w => w.name))
    assert.equal(moved, ['c', ...names])
  }
})

test('a batch that is neither is a bug', () => {
  assert.throws(() => phases([plan('a', 'x', ['half'])]), /not a batch/)
})
