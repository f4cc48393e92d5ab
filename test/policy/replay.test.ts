import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { decide } from '../../src/policy/decide.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { createReplay } from '../../src/policy/replay.ts'
import { createReport } from '../../src/policy/report.ts'
import { replayLine, replayText } from '../../src/report/replay-table.ts'
import { suite } from '../support/suite.ts'
import { auditLine } from './lines.ts'

const { test } = suite('policy: replay')

const until = Date.parse('2026-11-21T12:00:00.000Z')
const since = until - 86_400_000
type Egress = Parameters<typeof policyOf>[1]['egress']
const policy = (egress: Partial<Egress>, shared = {}) =>
  policyOf(shared, { tenant: 'client-a', egress: { mode: 'enforce', ...egress } })
const api = { allow: [{ domain: 'api.partner.example' }] }

const replayOf = (now: ReturnType<typeof policy>, ...lines: Record<string, string>[]) => {
  const replay = createReplay({ since, until, policies: [now], inner: ['172.16.28.0/22'] })
  for (const it of lines) replay.add(parseAuditLine(auditLine(it))!)
  return replay.end()
}

const denied = { verdict: 'denied', rule: 'not-listed', host: 'new.example', resolved: '-', status: '403' }
const would = { ...denied, verdict: 'would_deny', resolved: '203.0.113.9', status: '200' }

for (const { when, now, line, flips } of [
  { when: 'the same policy', now: policy(api), line: {}, flips: [] },
  { when: 'an entry that is gone', now: policy({}), line: {}, flips: ['cut allowed -> denied not-listed'] },
  {
    when: 'an entry that is over',
    now: policy({ allow: [{ domain: 'api.partner.example', expires: '2026-11-20' }] }),
    line: {},
    flips: ['cut allowed -> denied not-listed'],
  },
  {
    when: 'an entry whose last day is today',
    now: policy({ allow: [{ domain: 'api.partner.example', expires: '2026-11-21' }] }),
    line: {},
    flips: [],
  },
  {
    when: 'a denial of the context',
    now: policy(api, { policy: { deny: [{ domain: '.partner.example' }] } }),
    line: {},
    flips: ['cut allowed -> denied deny-all:.partner.example'],
  },
  {
    when: 'an entry for another port',
    now: policy({ allow: [{ domain: 'api.partner.example', ports: [8443] }] }),
    line: {},
    flips: ['cut allowed -> denied port'],
  },
  {
    when: 'a new entry',
    now: policy({ allow: [{ domain: 'new.example' }] }),
    line: denied,
    flips: ['opened denied -> allowed allow:new.example'],
  },
  {
    when: 'report mode now enforced',
    now: policy(api),
    line: would,
    flips: ['cut would_deny -> denied not-listed'],
  },
  {
    when: 'report mode, and it is allowed now',
    now: policy({ mode: 'report', allow: [{ domain: 'new.example' }] }),
    line: would,
    flips: ['told would_deny -> allowed allow:new.example'],
  },
  {
    when: 'enforce mode now reported',
    now: policy({ mode: 'report' }),
    line: denied,
    flips: ['opened denied -> would_deny not-listed'],
  },
  { when: 'where a name led', now: policy(api), line: { verdict: 'denied', rule: 'inner' }, flips: [] },
  {
    when: 'an allowed name that led inside',
    now: policy(api),
    line: { resolved: '172.16.28.8' },
    flips: ['cut allowed -> denied inner'],
  },
  { when: 'a client of nobody', now: policy(api), line: { tenant: '-', verdict: 'denied', rule: 'client' }, flips: [] },
  { when: 'a tenant that is not asked about', now: policy(api), line: { tenant: 'client-b' }, flips: [] },
  { when: 'what was no request', now: policy(api), line: { verdict: '-', port: '-' }, flips: [] },
  { when: 'a time before', now: policy({}), line: { time: '2026-11-20T11:00:00.000Z' }, flips: [] },
]) {
  test(`${when}: ${flips[0] ?? 'no flip'}`, () => {
    const found = replayOf(now, line).flips.map(
      it => `${it.sort} ${it.was.verdict} -> ${it.now.verdict} ${it.now.rule}`,
    )
    assert.equal(found, flips)
  })
}

test('the same request counts once, with how often and when last; what is cut comes first', () => {
  const { asked, apart, flips } = replayOf(
    policy({ allow: [{ domain: 'new.example' }] }),
    ...[denied, denied, denied, {}, { client: '172.16.28.21' }, { time: '2026-11-21T11:00:00.000Z' }],
    { rule: 'client', verdict: 'denied' },
  )
  assert.is(asked, 6)
  assert.is(apart, 1)
  assert.equal(
    flips.map(it => [it.sort, it.client, it.requests, it.lastSeen]),
    [
      ['cut', '172.16.28.20', 2, '2026-11-21T11:00:00.000Z'],
      ['cut', '172.16.28.21', 1, '2026-11-21T10:00:00.123Z'],
      ['opened', '172.16.28.20', 3, '2026-11-21T10:00:00.123Z'],
    ],
  )
})

test('it is told in a sentence and in a table', () => {
  const replay = replayOf(policy({}), {}, would)
  assert.is(replayLine(replay), 'replay: of 2 requests since 2026-11-20 12:00:00, 2 would be refused from now on')
  assert.match(replayText(replay), /client-a +172\.16\.28\.20 +api\.partner\.example:443 +CONNECT +allowed/)
  assert.match(replayText(replayOf(policy(api), {})), 'none would end otherwise')
})

test('entries that a report suggests let through what it saw', () => {
  const asked = [
    ...[
      { method: 'CONNECT', port: '443' },
      { method: 'CONNECT', port: '80' },
      { method: 'CONNECT', port: '8443' },
    ],
    ...[
      { method: 'GET', port: '80' },
      { method: 'POST', port: '443' },
      { method: 'PUT', port: '8080' },
    ],
  ]
  // Every choice of them, each for a host of its own.
  const lines = Array.from({ length: 2 ** asked.length }, (_, n) =>
    asked.filter((_, bit) => (n >> bit) & 1).map(it => ({ ...would, ...it, host: `h${n}.x${n}.example` })),
  ).flat()
  const parsed = lines.map(it => parseAuditLine(auditLine(it))!)
  const report = createReport({ context: 'test', since, until, policies: [] })
  for (const it of parsed) report.add(it)
  const entries = parse(report.end([]).tenants[0]!.suggested)
  assert.is(entries.length, 2 ** asked.length - 1)
  const now = policy({ allow: entries })
  for (const it of parsed) {
    const protocol = it.method === 'CONNECT' ? 'connect' : 'http'
    const request = { method: it.method, protocol, scheme: 'http', host: it.host, port: it.port! } as const
    assert.is(decide(now, request).verdict, 'allowed', JSON.stringify(request))
  }
  assert.equal(
    replayOf(now, ...lines).flips.filter(it => it.sort === 'cut'),
    [],
  )
})
