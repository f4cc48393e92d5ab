import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import type { Policy, Rule } from '../../src/policy/policy.ts'
import { createReport } from '../../src/policy/report.ts'
import { suggestAllow } from '../../src/policy/suggest.ts'
import { createTally } from '../../src/policy/tally.ts'
import { suite } from '../support/suite.ts'
import { auditLine } from './lines.ts'

const { test } = suite('policy: report')

const rule = (id: string, more: Partial<Rule> = {}): Rule => ({
  ...{ id, effect: 'allow', name: id.slice(6), connect: [443], http: [80], methods: null },
  ...{ expires: null, comment: null, requestedBy: null },
  ...more,
})
const policy: Policy = {
  tenant: 'client-a',
  mode: 'report',
  rules: [
    rule('allow:api.partner.example'),
    rule('allow:.unused.example', { comment: 'for the old job', requestedBy: 'team a', expires: '2026-01-01' }),
    rule('deny:bad.example', { effect: 'deny' }),
  ],
}
const at = (clock: string) => Date.parse(`2026-11-21T${clock}:00.000Z`)
const lines = (...all: Record<string, string>[]) => all.map(it => parseAuditLine(auditLine(it))!)
const reportOf = (all: ReturnType<typeof lines>, options = {}) => {
  const report = createReport({
    ...{ context: 'test', since: at('09:00'), until: at('11:00'), policies: [policy] },
    ...options,
  })
  for (const it of all) report.add(it)
  return report.end([{ proxy: 'proxy-a', lines: all.length, unparsable: 0, problem: null }])
}
const denied = { verdict: 'denied', status: '403', rule: 'not-listed', host: 'evil.example' }
const would = { verdict: 'would_deny', rule: 'not-listed', host: 'new.example' }

test('requests, tunnels and bytes are added up, for all and for each tenant', () => {
  const { totals, tenants } = reportOf(
    lines({}, { status: '503' }, { tenant: '-', verdict: 'denied', rule: 'client', status: '403' }, denied),
  )
  const all = { requests: 4, allowed: 2, denied: 2, wouldDeny: 0, undecided: 0, tunnels: 1 }
  assert.equal(totals, { ...all, bytesIn: 4 * 517, bytesOut: 4 * 4096 })
  assert.equal(
    tenants.map(it => [it.tenant, it.mode, it.totals.requests]),
    [
      ['client-a', 'report', 3],
      ['-', null, 1],
    ],
  )
})

test('a time out of its span does not count', () => {
  const { totals } = reportOf(lines({}, { time: '2026-11-21T08:59:59.999Z' }, { time: '2026-11-21T11:00:00.001Z' }))
  assert.is(totals.requests, 1)
})

test('denials are told by destination, rule and who asked, the most frequent first', () => {
  const { tenants } = reportOf(
    lines({ ...denied, client: '10.0.0.1' }, { ...denied, time: '2026-11-21T10:30:00.000Z' }, denied),
    { from: (client: string) => (client === '172.16.28.20' ? 'node-1' : null) },
  )
  const told = { host: 'evil.example', port: 443, method: 'CONNECT', rule: 'not-listed' }
  assert.equal(tenants[0]!.denials, [
    { ...told, client: '172.16.28.20', from: 'node-1', requests: 2, lastSeen: '2026-11-21T10:30:00.000Z' },
    { ...told, client: '10.0.0.1', from: null, requests: 1, lastSeen: '2026-11-21T10:00:00.123Z' },
  ])
})

test('a log that goes back in time does not make what was seen last earlier', () => {
  const { tenants } = reportOf(lines({ ...denied, time: '2026-11-21T10:30:00.000Z' }, denied))
  assert.is(tenants[0]!.denials[0]!.lastSeen, '2026-11-21T10:30:00.000Z')
  assert.is(tenants[0]!.destinations[0]!.lastSeen, '2026-11-21T10:30:00.000Z')
})

test('what no request used is named with who asked for it; a deny entry may rest', () => {
  assert.equal(reportOf(lines({})).tenants[0]!.unused, [
    { rule: 'allow:.unused.example', comment: 'for the old job', requestedBy: 'team a', expires: '2026-01-01' },
  ])
  assert.is(reportOf([]).tenants[0]!.unused.length, 2)
})

test('slices of time go through without a gap', () => {
  const { sliceSeconds, tenants } = reportOf(lines({}, denied, { ...would, time: '2026-11-21T10:58:00.000Z' }))
  const { slices } = tenants[0]!
  assert.is(sliceSeconds, 300)
  assert.is(slices.length, 24)
  assert.equal(slices[12], { start: '2026-11-21T10:00:00.000Z', allowed: 1, denied: 1, wouldDeny: 0 })
  assert.equal(slices[23], { start: '2026-11-21T10:55:00.000Z', allowed: 0, denied: 0, wouldDeny: 1 })
})

test('would-be denials come with the entries that would cover them', () => {
  const { tenants } = reportOf(
    lines(
      would,
      would,
      { ...would, host: 'other.example', method: 'GET', port: '80' },
      {
        ...would,
        host: 'bad.example',
        rule: 'deny:bad.example',
      },
    ),
  )
  assert.is(tenants[0]!.wouldBe.length, 3)
  assert.is(
    tenants[0]!.suggested,
    `# deny:bad.example refuses requests: an allow entry does not change that
- { domain: new.example, protocols: [connect] } # 2 requests
- { domain: other.example, protocols: [http] } # 1 request
`,
  )
})

for (const { when, asked, entry } of [
  { when: 'both ways', asked: ['CONNECT 443', 'GET 80'], entry: { domain: 'x.example' } },
  {
    when: 'two odd ports',
    asked: ['CONNECT 8443', 'CONNECT 443'],
    entry: { domain: 'x.example', ports: [443, 8443], protocols: ['connect'] },
  },
  {
    when: 'an odd port each way',
    asked: ['CONNECT 8443', 'GET 8080'],
    entry: { domain: 'x.example', ports: [8080, 8443] },
  },
  {
    when: 'plain HTTP to 443',
    asked: ['CONNECT 443', 'GET 443'],
    entry: { domain: 'x.example', ports: [443], protocols: ['connect', 'http'] },
  },
  {
    when: 'a tunnel to 80',
    asked: ['CONNECT 80'],
    entry: { domain: 'x.example', ports: [80], protocols: ['connect'] },
  },
]) {
  test(`an entry for ${when}`, () => {
    const seen = asked.map(it => {
      const [method = '', port] = it.split(' ')
      return { host: 'x.example', port: Number(port), method, rule: 'not-listed', requests: 1 }
    })
    assert.equal(parse(suggestAllow(seen)), [entry])
  })
}

test('what is listed for something else is not listed twice', () => {
  const seen = [{ host: 'x.example', port: 8443, method: 'CONNECT', rule: 'port', requests: 1 }]
  assert.is(suggestAllow(seen), '# x.example is listed, and not for CONNECT on port 8443: widen its entry\n')
})

test('hostile names are nobody’s suggestion, and addresses are told as such', () => {
  const asked = ['x.example }\n- { domain: evil.example', '*.x.example', 'localhost', 'x..example', '2001:db8::1', '-']
  const seen = asked.map(host => ({ host, port: 443, method: 'CONNECT', rule: 'not-listed', requests: 1 }))
  seen.push({ ...seen[0]!, host: 'x.example', rule: 'port', method: 'X\n- domain: evil.example' })
  seen.push({ ...seen[0]!, host: 'x.example', rule: 'deny:x\n- domain: evil.example' })
  assert.equal(parse(suggestAllow(seen)), [{ address: '2001:db8::1', protocols: ['connect'] }])
})

test('a million names take no more room than a few', () => {
  const { tenants } = reportOf(
    Array.from({ length: 50_000 }, (_, n) => ({
      ...parseAuditLine(auditLine(denied))!,
      host: n % 2 ? 'often.example' : `n${n}.example`,
    })),
    { most: 100 },
  )
  const { destinations, denials, more } = tenants[0]!
  assert.is(destinations.length, 100)
  assert.is(destinations[0]!.host, 'often.example')
  assert.is(destinations[0]!.requests, 25_000)
  assert.is(more.destinations.keys, 25_001 - 100)
  assert.is(denials.reduce((sum, it) => sum + it.requests, 0) + more.denials.requests, 50_000)
})

test('a tally keeps the busiest', () => {
  const tally = createTally<{ requests: number; key: string }>(2)
  for (const key of ['a', 'b', 'c', 'b', 'c', 'd', 'e', 'c']) tally.of(key, () => ({ requests: 0, key })).requests++
  assert.equal(
    tally.list().map(it => it.key),
    ['c', 'b'],
  )
  assert.equal(tally.folded, { keys: 3, requests: 3 })
})
