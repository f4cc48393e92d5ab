import * as assert from 'uvu/assert'
import { callsOfDeploy, measurePlan } from '../bench/economy.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/economy')

test('a plan lists each kind of each parent once, no deeper than the ids need', async () => {
  const { routes, chain, depth, changes } = await measurePlan(2, { latencyMs: 20 })
  assert.equal(changes, [])
  const twice = [...routes].filter(([, count]) => count > 1)
  assert.equal(twice, [])
  assert.ok(chain.length <= depth, `${chain.length} calls in a row: ${chain.map(it => it.path).join(', ')}`)
  assert.is(depth, 4)
})

test('with fifty tenants only what the API cannot list takes more calls', async () => {
  const few = await measurePlan(2)
  const many = await measurePlan(50)
  const lists = (routes: Map<string, number>) => [...routes.keys()].filter(it => !it.endsWith('/user_data/cloud-init'))
  assert.equal(many.changes, [])
  assert.is(lists(many.routes).length, lists(few.routes).length)
  // 150 addresses are two pages of one list; the rest is the user data of each server.
  const pages = 1
  assert.is(many.calls - few.calls, 48 + pages)
})

test('a further tenant costs a deploy its own calls, and no looks at the others', async () => {
  const few = await callsOfDeploy(2)
  const many = await callsOfDeploy(22)
  // Creating and looking: 5 calls of address, IP and pool, 15 of the server; what is waited for is listed for all.
  assert.ok(many - few <= 20 * 20, `${(many - few) / 20} calls for each further tenant`)
})
