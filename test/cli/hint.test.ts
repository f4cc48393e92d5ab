import * as assert from 'uvu/assert'
import { inContext } from '../../src/cli/hint.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: commands that a person is told')

const text = 'go on with deploy.mjs --resume r1, or take it back with scripts/rollback.ts --to start'

for (const { when, context, env = {}, says } of [
  { when: 'in the usual context', context: 'sandbox', says: text },
  { when: 'in the one that the environment names', context: 'live', env: { EGRESS_CONTEXT: 'live' }, says: text },
  {
    when: 'in another',
    context: 'live',
    says: 'go on with deploy.mjs --context live --resume r1, or take it back with scripts/rollback.ts --context live --to start',
  },
  {
    when: 'in the sandbox, where the environment names another',
    context: 'sandbox',
    env: { EGRESS_CONTEXT: 'live' },
    says: 'go on with deploy.mjs --context sandbox --resume r1, or take it back with scripts/rollback.ts --context sandbox --to start',
  },
])
  test(`${when} they name it where that is needed, and no file that is not theirs`, () => {
    assert.is(inContext(text, context, env), says)
    assert.is(inContext(says, context, env), says)
    assert.is(inContext('see gate.ts and sandbox.mjs', context, env), 'see gate.ts and sandbox.mjs')
  })
