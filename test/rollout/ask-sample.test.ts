import * as assert from 'uvu/assert'
import { judgeSample, type Logged, type Seen, seenIn, seenRaw } from '../../src/rollout/ask-sample.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/ask-sample')

const answered = (status: number, refusal: string | null = null): Seen => ({
  ...{ status, refusal, connected: status > 0, exit: 0, said: '' },
})
const none = (exit: number, connected = false): Seen => ({ status: 0, refusal: null, connected, exit, said: '' })
const log = (verdict: string): Logged => ({ verdict, rule: 'r', revision: '1-aa' })
const squid = 'ERR_ACCESS_DENIED'

for (const [what, expected, seen, logged, verdict] of [
  ['a refusal that is logged', 'refused', answered(403, squid), log('denied'), 'pass'],
  ['a refusal that is not logged', 'refused', answered(403, squid), null, 'inconclusive'],
  ['an answer where none may be', 'refused', answered(200), log('allowed'), 'fail'],
  ['403 of a destination that was reached', 'refused', answered(403), log('allowed'), 'fail'],
  ['a bad gateway of something that was allowed', 'refused', answered(503, 'ERR_CONNECT_FAIL'), log('allowed'), 'fail'],
  ['what is no request', 'refused', answered(400, 'ERR_INVALID_REQ'), log('denied'), 'pass'],
  ['no answer of the proxy', 'refused', none(7), null, 'inconclusive'],
  ['an allowed destination', 'allowed', answered(200), log('allowed'), 'pass'],
  ['403 of an allowed destination itself', 'allowed', answered(403), log('allowed'), 'pass'],
  ['an allowed destination that is down', 'allowed', answered(503, 'ERR_CONNECT_FAIL'), log('allowed'), 'pass'],
  ['an allowed destination that is refused', 'allowed', answered(403, squid), log('denied'), 'fail'],
  ['an answer without a line of the log', 'allowed', answered(200), null, 'inconclusive'],
  ['let through in report mode, and noted', 'noted', answered(200), log('would_deny'), 'pass'],
  ['let through in report mode, and not noted', 'noted', answered(200), log('allowed'), 'fail'],
  ['no connection', 'blocked', none(7), null, 'pass'],
  ['nobody answers', 'blocked', none(28), null, 'pass'],
  ['a connection that then said nothing', 'blocked', none(28, true), null, 'fail'],
  ['a name that does not resolve', 'blocked', none(6), null, 'inconclusive'],
  ['a pod without curl', 'refused', { unheard: 'no curl' }, null, 'inconclusive'],
] as [string, string, Seen, Logged, string][])
  test(`${expected}: ${what}`, () => assert.is(judgeSample(expected, seen, logged).verdict, verdict))

test('the answer to CONNECT counts, not what came through the tunnel', () => {
  const stdout = 'HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 404 Not Found\r\n\nseen 404 200 0.01\n'
  const seen = seenIn({ code: 0, stdout, stderr: '' }, 'https://a/')
  assert.equal(seen, { status: 200, refusal: null, connected: true, exit: 0, said: '' })
  const denied = 'HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n\nseen 000 403 0.01\n'
  const refused = seenIn({ code: 56, stdout: denied, stderr: 'x' }, 'https://a/')
  assert.equal([refused as object], [{ status: 403, refusal: squid, connected: true, exit: 56, said: 'x' }])
})

test('of raw bytes the first answer counts, and what a body says of itself is none', () => {
  const stdout =
    'HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Squid-Error: X\r\n'
  const seen = seenRaw({ code: 0, stdout, stderr: '' })
  assert.equal([seen as object], [{ status: 403, refusal: squid, connected: true, exit: 0, said: '' }])
  const none = seenRaw({ code: 1, stdout: '', stderr: 'Protocol "gopher" not supported' })
  assert.is(judgeSample('refused', none, null).verdict, 'inconclusive')
})
