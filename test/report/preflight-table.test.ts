import * as assert from 'uvu/assert'
import { type PreflightRow, preflightText } from '../../src/report/preflight-table.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('report: preflight')

const row = (workload: string, more: Partial<PreflightRow> = {}): PreflightRow => ({
  ...{ level: 'stop', check: 'outage', workload, what: 'moving it is an outage' },
  ...{ why: 'its strategy is Recreate: all pods stop before the first new one starts', next: 'let it surge' },
  ...more,
})

test('a table of 80 columns: what, why, and what to do', () => {
  const lines = preflightText([row('client-a-demo/api'), row('client-a-demo', { level: 'note', check: 'rights', what: 'may not get pods/log' })]) // biome-ignore format: one
  assert.equal(lines, [
    'level  workload           what, why, and what to do',
    `─────  ─────────────────  ${'─'.repeat(54)}`,
    'stop   client-a-demo/api  moving it is an outage (outage)',
    '                          why   its strategy is Recreate: all pods stop before',
    '                                the first new one starts',
    '                          next  let it surge',
    'note   client-a-demo      may not get pods/log (rights)',
    '                          why   its strategy is Recreate: all pods stop before',
    '                                the first new one starts',
    '                          next  let it surge',
  ])
})

test('no line is wider, however long names are, and none is cut', () => {
  const name = `${'n'.repeat(63)}/statefulset/${'w'.repeat(4)}`
  const lines = preflightText([row(name), row('a/b')])
  assert.ok(
    lines.every(it => it.length <= 80 || it.endsWith(name)),
    lines.join('\n'),
  )
  assert.ok(lines.some(it => it.includes(name)))
})

test('of many workloads the same is said once', () => {
  const lines = preflightText(['a/a', 'a/b', 'a/c', 'a/d', 'a/e', 'a/f'].map(it => row(it)))
  assert.is(lines.filter(it => it.includes('outage (outage)')).length, 1)
  assert.match(lines.join('\n'), /also {2}a\/b, a\/c, a\/d and 2 more/)
})
