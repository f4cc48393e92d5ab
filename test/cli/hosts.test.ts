import * as assert from 'uvu/assert'
import { hostPolicy, recapOf } from '../../src/cli/hosts.ts'
import { summaryOf } from '../../src/cli/stages.ts'
import type { Outcome } from '../../src/engine/apply.ts'
import { Problem } from '../../src/engine/problem.ts'
import { ConnectionLost, Unreachable } from '../../src/hosts/ssh-problems.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: how hosts ended')

const parts = { why: 'because', next: '-' }
const outcome: Outcome = {
  plan: { seen: new Map(), changed: new Set() },
  changes: new Map([
    ['host-play/a', { action: 'update', summary: 'a' }],
    ['host-play/b', null],
  ]),
  failures: [
    { step: 'host-play/c', error: new Unreachable('c is away', parts) },
    { step: 'host-play/d', error: new Problem('d failed', parts) },
    { step: 'host-play/e', error: new ConnectionLost('e was lost', parts) },
  ],
  skipped: ['host-play/f'],
}

test('unreachable is told apart from failed, and a lost connection is a failure: something was asked', () => {
  assert.equal(recapOf(outcome), {
    a: { status: 'changed' },
    b: { status: 'ok' },
    c: { status: 'unreachable', why: 'c is away: because' },
    d: { status: 'failed', why: 'd failed: because' },
    e: { status: 'failed', why: 'e was lost: because' },
    f: { status: 'not-reached' },
  })
  assert.is(summaryOf(outcome), '1 changed, 1 unchanged, 1 unreachable, 2 failed, 1 not reached')
})

for (const { configure, batches, mayFail } of [
  { configure: { maxFail: 0 }, batches: 'abcdefgh', mayFail: 0 },
  { configure: { serial: 3, maxFail: '25%' }, batches: 'abc def gh', mayFail: 2 },
  { configure: { serial: [1, '50%'], maxFail: 1 }, batches: 'a bcde fgh', mayFail: 1 },
])
  test(`${JSON.stringify(configure)} of eight: ${batches}`, () => {
    const policy = hostPolicy({ ...configure, onFailure: 'keep' }, [...'abcdefgh'])
    assert.is(policy.batches.map(it => it.join('')).join(' '), batches)
    assert.is(policy.mayFail, mayFail)
  })
