import * as assert from 'uvu/assert'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { suite } from '../support/suite.ts'
import { auditLine } from './lines.ts'

const { test } = suite('policy: audit lines')

test('a line is read into what it says', () => {
  assert.equal(parseAuditLine(auditLine()), {
    ...{ time: Date.UTC(2026, 10, 21, 10, 0, 0, 123), tenant: 'client-a', client: '172.16.28.20', listener: '3128' },
    ...{ method: 'CONNECT', host: 'api.partner.example', port: 443, path: '-', resolved: '203.0.113.7' },
    ...{ egress: '198.51.100.40', status: 200, squid: 'TCP_TUNNEL', verdict: 'allowed' },
    ...{ rule: 'allow:api.partner.example', revision: '7-0a1b2c3d', bytesIn: 517, bytesOut: 4096, ms: 82 },
    agent: 'curl/8.14.1',
  })
})

test('what is not known is null, and what nobody could decide has no verdict', () => {
  const line = parseAuditLine(
    auditLine({ tenant: '-', port: '-', resolved: '-', egress: '-', verdict: '-', bytesIn: '-', status: '-' }),
  )!
  const { tenant, port, resolved, egress, verdict, bytesIn, status } = line
  assert.equal([tenant, port, resolved, egress, verdict, bytesIn, status], [null, null, null, null, null, 0, 0])
})

for (const { when, host, is } of [
  { when: 'an escape', host: 'x%22%2C%0A.example', is: 'x",\n.example' },
  { when: 'an escape that was cut', host: 'x%2', is: 'x%2' },
  { when: 'UTF-8', host: 'b%C3%BCcher.example', is: 'bücher.example' },
  { when: 'UTF-8 that was cut', host: 'b%C3', is: 'b\ufffd' },
  { when: 'a bare percent sign', host: '100%', is: '100%' },
  { when: 'case and the last dot', host: 'X.Example.', is: 'x.example' },
  { when: 'an IPv6 address', host: '[2001:DB8::1]', is: '2001:db8::1' },
  { when: 'an IPv6 address, encoded', host: '%5B2001:db8::1%5D', is: '2001:db8::1' },
  { when: 'a dot alone', host: '.', is: '.' },
]) {
  test(`a host with ${when}`, () => assert.is(parseAuditLine(auditLine({ host }))?.host, is))
}

const good = auditLine()

test('a host that asks for certificates names them', () => {
  assert.is(parseAuditLine(auditLine({ certificate: '/CN=a%22,%0A' }))?.certificate, '/CN=a",\n')
  assert.not.ok('certificate' in parseAuditLine(auditLine({ certificate: '-' }))!)
})

for (const { when, line } of [
  { when: 'nothing', line: '' },
  { when: 'no JSON', line: '1732183200.123 82 172.16.28.20 TCP_TUNNEL/200' },
  { when: 'another object', line: '{"a":"b"}' },
  { when: 'a line that was cut', line: good.slice(0, -30) },
  { when: 'two lines in one', line: good + good },
  { when: 'something after it', line: `${good} ` },
  { when: 'a field missing', line: good.replace('"rule":"allow:api.partner.example",', '') },
  { when: 'a field more', line: good.replace('}', ',"more":"1"}') },
  { when: 'a field in place of the certificate', line: good.replace('}', ',"certificates":"1"}') },
  { when: 'two certificates', line: good.replace('}', ',"certificate":"1","certificate":"1"}') },
  { when: 'a field twice', line: good.replace('"agent"', '"verdict":"denied","agent"') },
  { when: 'a field twice in place of another', line: good.replace('"agent"', '"verdict"') },
  { when: 'a quote that got through', line: good.replace('curl', 'c\\"url') },
  { when: 'a control character', line: good.replace('curl', 'c\u0001url') },
  { when: 'a byte that is no ASCII', line: good.replace('curl', 'c\u00fcrl') },
  { when: 'a number that is none', line: auditLine({ bytesIn: '1e9' }) },
  { when: 'a negative number', line: auditLine({ ms: '-5' }) },
  { when: 'a port out of range', line: auditLine({ port: '65536' }) },
  { when: 'a time that is none', line: auditLine({ time: '2026-13-41T10:00:00.123Z' }) },
  { when: 'a time in words', line: auditLine({ time: 'yesterday' }) },
  { when: 'a verdict nobody gives', line: auditLine({ verdict: 'maybe' }) },
  { when: 'a name of every object', line: good.replace('"agent"', '"constructor"') },
  { when: 'a number without quotes', line: good.replace('"517"', '517') },
  { when: 'a thousand fields', line: `{${'"x":"1",'.repeat(1000)}"x":"1"}` },
]) {
  test(`${when} is no line`, () => assert.is(parseAuditLine(line), null))
}

test('random damage is told or harmless, and never thrown', () => {
  for (let n = 0; n < 5000; n++) {
    const at = (n * 7919) % good.length
    const put = String.fromCharCode((n * 104729) % 256)
    const line = parseAuditLine(good.slice(0, at) + put + good.slice(at + 1))
    assert.ok(line === null || typeof line.host === 'string')
  }
})
