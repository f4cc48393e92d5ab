import * as assert from 'uvu/assert'
import { openRollout } from '../../src/cli/rollout/open.ts'
import { isOf } from '../../src/cli/rollout/steps.ts'
import type { Recorded } from '../../src/engine/journal.ts'
import type { Json } from '../../src/engine/json.ts'
import type { Tenant } from '../../src/inventory/context.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: whose step is it')

const tenants = ['a', 'b', 'c'].map(it => ({ tenant: it, namespace: `${it}-demo` })) as Tenant[]
const of = (want: Json) => tenants.filter(it => isOf({ context: { tenants: [it] } })({ want })).map(it => it.tenant)
const object = { metadata: { name: 'x', namespace: 'a-demo' } }

for (const { what, want, whose } of [
  { what: 'a workload', want: { namespace: 'b-demo', kind: 'Deployment', name: 'w' }, whose: ['b'] },
  { what: 'an object', want: { object }, whose: ['a'] },
  {
    what: "an object in a namespace of ours, with the tenant's label",
    want: { object: { metadata: { namespace: 'egress-system', labels: { 'kapsule-egress/tenant': 'c' } } } },
    whose: ['c'],
  },
  {
    what: 'an entry that was taken out of a list that tenants share',
    want: { namespace: 'a-demo', range: '198.51.100.7/32', movers: [{ namespace: 'a-demo' }, { namespace: 'c-demo' }] },
    whose: ['a', 'c'],
  },
  { what: 'something of the whole context', want: { name: 'x' }, whose: [] },
])
  test(`${what}: ${whose.join(' and ') || 'nobody'}`, () => assert.equal(of(want), whose))

test('what tenants share is taken back once, and with each of them', () => {
  const step = { step: 'allowlist-removal/a/x', kind: 'allowlist-removal', group: 'rollout/allowlist', needs: [] }
  const want = { namespace: 'a-demo', movers: [{ namespace: 'a-demo' }, { namespace: 'b-demo' }] }
  const change = { action: 'delete' as const, summary: 'x' }
  const history: Recorded[] = [
    { time: 't', run: 'r', event: 'started', ...step, want, before: { entry: null }, change },
    { time: 't', run: 'r', event: 'done', step: step.step, now: { entry: null } },
  ]
  const open = (...names: string[]) =>
    openRollout(history, { tenants: tenants.filter(it => names.includes(it.tenant)) }).map(it => it.step)
  assert.equal(open('a', 'b', 'c'), [step.step])
  assert.equal(open('b'), [step.step])
  assert.equal(open('c'), [])
})
