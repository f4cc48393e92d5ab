import { PassThrough } from 'node:stream'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { problemText } from '../../src/report/problem.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('report: problem')
const plain = new PassThrough() as unknown as NodeJS.WriteStream

test('a Problem is what, why and next; further lines stand under the first', () => {
  const it = new Problem('egress-1: squid.conf was not replaced', {
    why: 'squid -k parse says\nsquid.conf(42): unrecognized',
    next: 'mend it',
  })
  const lines = [
    '✖ egress-1: squid.conf was not replaced',
    '  why   squid -k parse says',
    '        squid.conf(42): unrecognized',
    '  next  mend it',
  ]
  assert.is(stripped(problemText(it, { stream: plain })), lines.join('\n'))
})

test('bytes that move the cursor are shown as what they are', () => {
  const it = new Problem('x\u001b[2J', { why: 'a\u001b[31mred\r\nb\tc\bd', next: 'n' })
  const lines = ['✖ x\\u001b[2J', '  why   a\\u001b[31mred', '        b    c\\u0008d', '  next  n']
  assert.is(stripped(problemText(it, { stream: plain })), lines.join('\n'))
})

test('a bug keeps its stack and its causes', () => {
  const text = stripped(problemText(new Error('outer', { cause: new TypeError('inner') }), { stream: plain }))
  assert.match(text, /bug in kapsule-egress/)
  assert.match(text, /outer[\s\S]*problem\.test\.ts[\s\S]*inner/)
})

const stripped = (text: string) => text.replace(/\u001b\[[0-9;]*m/g, '')
