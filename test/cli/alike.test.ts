import * as assert from 'uvu/assert'
import { alike } from '../../src/cli/alike.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: alike')

const problem = (what: string, next: string, status?: number) =>
  new Problem(what, { why: 'because', next, ...(status && { cause: Object.assign(new Error('x'), { status }) }) })

test('one refused key is told once, what each permission lacks is told each', () => {
  const found = alike([
    problem('GET /a', 'check the key', 401),
    problem('GET /b', 'check the key', 401),
    problem('GET /c', 'give VPCFullAccess', 403),
    problem('GET /d', 'check the key', 401),
    problem('GET /e', 'give IPAMFullAccess', 403),
  ])
  assert.equal(
    found.map(it => it.message),
    ['GET /a (and 2 more like it)', 'GET /c', 'GET /e'],
  )
  assert.is((found[0]!.cause as { status?: number }).status, 401)
})

test('an API that is not there is told once', () => {
  const silent = (what: string) =>
    new Problem(what, { why: 'ENOTFOUND', next: 'check', cause: new TypeError('fetch failed') })
  assert.equal(
    alike([silent('GET /a'), silent('GET /b')]).map(it => it.message),
    ['GET /a (and 1 more like it)'],
  )
})

test('the same words are told once, other words never merge', () => {
  const found = alike([problem('no file', 'make it'), problem('no file', 'make it'), problem('line 3', 'make it')])
  assert.equal(
    found.map(it => it.message),
    ['no file', 'line 3'],
  )
})
