import * as assert from 'uvu/assert'
import { phases, type TenantPlan } from '../../src/rollout/phases.ts'
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
const shown = (tenants: TenantPlan[], maxTenants?: number) =>
  phases(tenants, { maxTenants }).map(
    ({ name, workloads }) => `${name}: ${workloads.map(it => `${it.tenant}/${it.name}`).join(' ')}`,
  )

for (const { when, tenants, maxTenants, order } of [
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
  {
    when: 'a count and a share that says less: nothing moves twice',
    tenants: [plan('a', 'wxyz', ['3', '25%', '100%'])],
    order: ['gateway: ', 'canary: a/c', 'expand 1/2: a/w a/x a/y', 'expand 2/2: a/z'],
  },
  {
    when: 'a batch over the blast radius is several, over tenants too',
    tenants: [{ ...plan('a', 'xyz', ['100%']), maxUnverified: 2 }, plan('b', 'w', ['100%'])],
    order: ['gateway: ', 'canary: a/c b/c', 'expand 1/2: a/x a/y', 'expand 2/2: a/z b/w'],
  },
  {
    when: 'canaries keep to it',
    tenants: [plan('a', 'c', ['100%']), { ...plan('b', 'cx', ['100%']), maxUnverified: 1 }],
    order: ['gateway: ', 'canary 1/2: a/c', 'canary 2/2: b/c', 'expand 1/1: b/x'],
  },
  {
    when: 'so many tenants at a time, each to its end',
    tenants: [plan('a', 'cx', ['100%']), plan('b', 'cyz', ['50%', '100%'])],
    maxTenants: 1,
    order: [
      ...['gateway: ', 'canary 1/2: a/c', 'expand 1/3: a/x'],
      ...['canary 2/2: b/c', 'expand 2/3: b/y', 'expand 3/3: b/z'],
    ],
  },
] as { when: string; tenants: TenantPlan[]; maxTenants?: number; order: string[] }[]) {
  test(when, () => assert.equal(shown(tenants, maxTenants), order))
}

test('no phase moves more than the smallest radius of its tenants, and all move', () => {
  for (let most = 1; most < 6; most++)
    for (const maxTenants of [1, 2, 3]) {
      const tenants = [
        { ...plan('a', 'abdef', ['2', '60%', '100%']), maxUnverified: most },
        plan('b', 'cghi', ['50%', '100%']),
        { ...plan('d', 'jklmn', ['100%']), maxUnverified: 3 },
      ]
      const all = phases(tenants, { maxTenants })
      assert.is(new Set(all.map(it => it.name)).size, all.length, 'names differ')
      assert.is(all.flatMap(it => it.workloads).length, 3 + 5 + 3 + 5)
      for (const { tenants: of, workloads } of all) {
        assert.ok(new Set(of).size <= maxTenants || workloads.length === 0)
        if (of.includes('a')) assert.ok(workloads.length <= most)
        if (of.includes('d')) assert.ok(workloads.length <= 3)
      }
    }
})

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
