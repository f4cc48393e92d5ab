import * as assert from 'uvu/assert'
import { commands } from '../../src/cli/commands.mjs'
import { parse } from '../../src/cli/flags.ts'
import type { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: flags')

const problem = (command: string, argv: string[]): Problem => {
  try {
    parse(command, argv, {})
  } catch (error) {
    return error as Problem
  }
  throw new Error('it was accepted')
}

for (const { argv, says, next } of [
  { argv: ['--chekc'], says: 'unknown flag --chekc', next: /did you mean --check\?/ },
  { argv: ['-y'], says: 'unknown flag -y', next: /nothing was touched/ },
  { argv: ['--context'], says: '--context needs a value', next: /--context NAME/ },
  { argv: ['--limit', '--check'], says: '--limit needs a value', next: /--limit PATTERN/ },
  { argv: ['--context', 'a', '--context=b'], says: '--context is there twice', next: /leave one out/ },
  { argv: ['--tags='], says: '--tags needs a value', next: /--tags A,B/ },
  { argv: ['--', 'x'], says: 'unexpected argument "x"', next: /--help/ },
  { argv: ['--check=yes'], says: '--check takes no value', next: /alone/ },
  { argv: ['everything'], says: 'unexpected argument "everything"', next: /--help/ },
  { argv: ['--to', 'start'], says: 'unknown flag --to', next: /nothing was touched/ },
]) {
  test(`deploy ${argv.join(' ')}: ${says}`, () => {
    const it = problem('deploy', argv)
    assert.is(it.message, says)
    assert.match(it.next, next)
    assert.is(it.exit, 2)
  })
}

test('--replace may be said several times, and takes commas', () => {
  const { replace } = parse('deploy', ['--replace', 'vpc/a,cluster/b', '--replace=private-network/c'], {}).flags
  assert.equal(replace, ['vpc/a', 'cluster/b', 'private-network/c'])
  assert.is(problem('deploy', ['--replace', '--check']).message, '--replace needs a value')
})

test('the context: the flag, else EGRESS_CONTEXT, else sandbox', () => {
  assert.is(parse('deploy', [], {}).flags.context, 'sandbox')
  assert.is(parse('deploy', [], { EGRESS_CONTEXT: 'staging' }).flags.context, 'staging')
  assert.is(parse('deploy', ['--context', 'production'], { EGRESS_CONTEXT: 'staging' }).flags.context, 'production')
})

test('values stay as they were typed', () => {
  assert.is(parse('deploy', ['--limit', '007'], {}).flags.limit, '007')
  assert.equal(parse('deploy', ['--tags=a, b'], {}).flags.tags, ['a', 'b'])
  assert.is(parse('rollback', ['--run', '1e3'], {}).flags.run, '1e3')
})

test('--resume takes a run or none', () => {
  assert.is(parse('deploy', ['--resume'], {}).flags.resume, true)
  assert.is(parse('deploy', ['--resume', '7f3a'], {}).flags.resume, '7f3a')
  assert.is(parse('deploy', ['--resume', '--check'], {}).flags.check, true)
  assert.is(parse('deploy', [], {}).flags.resume, undefined)
})

test('flags of the Contract mean the same in every stage', () => {
  const stages = Object.keys(commands).filter(it => it === 'deploy' || /^\d/.test(it))
  assert.is(stages.length, 7)
  for (const stage of stages) {
    for (const flag of ['context', 'check', 'diff', 'limit', 'tags', 'yes', 'json', 'verbose', 'resume']) {
      assert.ok(commands[stage]!.flags[flag], `${stage} takes --${flag}`)
    }
  }
})
