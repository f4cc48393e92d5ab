import * as assert from 'uvu/assert'
import type { Moved } from '../../playbooks/rollout.ts'
import { heldSince, provedBefore } from '../../src/cli/rollout/proved-before.ts'
import type { Recorded } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: what a partner was proved to let in')

const move = { tenant: { tenant: 'a', namespace: 'a-demo' }, workload: { kind: 'CronJob', name: 'nightly' } } as Moved
const gate = (verdict: string, more = {}) =>
  ({
    event: 'note',
    topic: 'gate',
    data: { tenant: 'a', workload: 'cronjob/nightly', gate: 'the partner lets it in', verdict: { verdict }, ...more },
  }) as unknown as Recorded
const step = (event: 'started' | 'undone', step: string) => ({ event, step }) as unknown as Recorded
const moved = step('started', 'workload-egress/a-demo/cronjob/nightly')
const opened = step('started', 'allowlist-addition/a')

for (const [when, history, proved] of [
  ['nothing was asked', [opened, moved], false],
  ['it passed', [opened, moved, gate('pass')], true],
  ['it did not', [opened, moved, gate('fail')], false],
  ['it passed, and then did not', [moved, gate('pass'), gate('inconclusive')], false],
  ['it was moved again', [moved, gate('pass'), moved], false],
  ['it was taken back', [moved, gate('pass'), step('undone', 'workload-egress/a-demo/cronjob/nightly')], false],
  ['the list was opened for another address', [moved, gate('pass'), opened], false],
  ['another gate passed', [moved, gate('pass', { gate: 'direct access is blocked' })], false],
  ['another workload passed', [moved, gate('pass', { workload: 'cronjob/other' })], false],
  ['another tenant passed', [moved, gate('pass', { tenant: 'b' })], false],
] as const)
  test(`${when}: ${proved}`, () => assert.is(provedBefore(history, move), proved))

const gates = ['direct access is blocked', 'egress address']
const [first, second] = gates.map(gate => ({ gate }))
for (const [when, history, proved] of [
  ['one gate passed', [moved, gate('pass', first)], false],
  ['all did', [moved, gate('pass', first), gate('pass', second)], true],
  ['one of them no longer', [moved, gate('pass', first), gate('pass', second), gate('fail', first)], false],
  ['and it was moved again', [gate('pass', first), gate('pass', second), moved], false],
  ['a list was opened, which is no concern of theirs', [gate('pass', first), gate('pass', second), opened], true],
] as const)
  test(`of several gates, ${when}: ${proved}`, () =>
    assert.is(heldSince(history, move, { gates, held: it => it.verdict.verdict === 'pass' }), proved))
