import * as assert from 'uvu/assert'
import { cutShort, type Told } from '../../src/hosts/cut-short.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('a change that was cut short')

const told: Told = { steps: ['a', 'b', 'c'], ok: 0, handled: [], failed: undefined }

for (const { when, says, ...more } of [
  { when: 'before the first step ended', says: 'in doubt: a; not begun: b, c' },
  { when: 'in the middle', ok: 1, says: 'done: a; in doubt: b; not begun: c' },
  { when: 'in the last step', ok: 2, says: 'done: a, b; in doubt: c' },
  {
    when: 'in the handlers',
    ok: 3,
    handled: ['handler h'],
    says: 'done: a, b, c, handler h; in doubt: its handlers or health checks, which the host still owes',
  },
  {
    when: 'while a failure was taken back',
    ok: 2,
    failed: 'c',
    says: 'c failed; in doubt, since it was being taken back: a, b',
  },
  { when: 'while the first failed', failed: 'a', says: 'a failed' },
] as ({ when: string; says: string } & Partial<Told>)[])
  test(when, () => assert.is(cutShort({ ...told, ...more }), says))
