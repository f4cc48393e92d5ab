import * as assert from 'uvu/assert'
import { narrowTable, table } from '../../src/report/table.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('tables')

const head = ['resource', 'name', 'id']
const id = 'fr-par-1/11111111-2222-3333-4444-555555555555'
const rows = [
  ['private-network', 'egress', id],
  ['server', 'proxy-of-a-client', id],
]

test('one that fits is as it was', () => {
  const short = rows.map(([kind, name]) => [kind!, name!, 'x'])
  assert.is(narrowTable(head, short), table(head, short))
})

test('one that is too wide keeps every word whole, the last cell below its row', () => {
  assert.ok(
    table(head, rows)
      .split('\n')
      .some(line => line.length > 80),
  )
  assert.equal(narrowTable(head, rows).split('\n'), [
    'resource         name',
    '  id',
    '───────────────  ─────────────────',
    'private-network  egress',
    `  ${id}`,
    'server           proxy-of-a-client',
    `  ${id}`,
  ])
})
