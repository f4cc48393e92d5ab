import * as assert from 'uvu/assert'
import { contextSchema } from '../../src/inventory/schema-context.ts'
import { deadlinesFrom, usualDeadlines } from '../../src/scaleway/deadlines.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/deadlines')

test('the inventory knows every wait by the name the code has for it', () => {
  const { deadlines } = contextSchema.shape.scaleway.shape
  assert.equal(Object.keys(deadlines.unwrap().shape), Object.keys(usualDeadlines))
})

test('what the inventory says counts, the rest is as usual', () => {
  const { pool, server, gateway, cluster } = deadlinesFrom({ pool: '40m', server: '90s', cluster: '1.5h' })
  assert.equal([pool, server, cluster], [2_400_000, 90_000, 5_400_000])
  assert.is(gateway, usualDeadlines.gateway)
})

test('a pool has more than the eleven minutes one was seen to take', () => {
  assert.ok(usualDeadlines.pool > 657_000)
})
