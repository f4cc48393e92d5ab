import * as assert from 'uvu/assert'
import type { Site } from '../../playbooks/site.ts'
import { partnerLists, partnerTable } from '../../src/cli/rollout/partner-lists.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { suite } from '../support/suite.ts'
import { thing, worldFor } from '../support/things.ts'

const { test } = suite('cli: lists of partners')

const firewall = { provider: 'crunchybridge', network: 'n', key: { env: 'X' } }
const update = { action: 'update' as const, summary: '' }

/** What is to be done with a list: with the door, and with each old entry that is still there. */
const seen = async (door: object, old: string[] = [], left: string[] = []) => {
  const desired = [
    thing('allowlist-addition/a', { want: { firewall }, live: { entries: [] }, change: null, ...door }),
    ...['198.51.100.7/32', '198.51.100.0/29'].map(range => {
      const there = old.includes(range)
      return thing(`allowlist-removal/a/${range}`, {
        want: { range },
        live: { entry: there ? { range } : null },
        change: there ? { action: 'delete', summary: '' } : null,
      })
    }),
    thing('allowlist-leftovers/a', { live: { entries: left.map(range => ({ range })) }, change: null }),
  ]
  const site = { phases: [{ name: 'allowlist', desired, moves: [] }] } as unknown as Site
  const tenants = [{ tenant: 'a' }, { tenant: 'b' }] as never
  return partnerLists(site, await makePlan(desired, worldFor()), { tenants })
}

for (const { when, door = {}, old, left, says } of [
  { when: 'before a rollout', door: { change: update }, old: ['198.51.100.7/32'], says: 'missing 198.51.100.7/32' },
  { when: 'half-way', old: ['198.51.100.7/32'], left: ['203.0.113.5/32'], says: 'in 198.51.100.7/32 203.0.113.5/32' },
  { when: 'at the end', says: 'in ' },
  { when: 'it did not answer', door: { live: null, change: update }, says: 'unclear ' },
])
  test(`${when}: ${says}`, async () => {
    const [list, ...more] = await seen(door, old, left)
    assert.equal(more, [])
    assert.is(list!.list, 'Crunchy Bridge network n')
    assert.is(`${list!.ours} ${list!.toGo.join(' ')}`, says)
    assert.match(partnerTable([list!]), /Crunchy Bridge network n/)
  })
