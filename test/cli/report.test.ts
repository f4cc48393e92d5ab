import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { sinceOf } from '../../src/cli/since.ts'
import { namesOf } from '../../src/cli/who-is.ts'
import { Problem } from '../../src/engine/problem.ts'
import { auditLine } from '../policy/lines.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('report and replay, from copies of logs')
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = mkdtempSync(join(tmpdir(), 'egress-report-'))
after(() => rmSync(folder, { recursive: true }))

const time = new Date(Date.now() - 3_600_000).toISOString()
const [plain, packed] = [join(folder, 'audit.log'), join(folder, 'audit.log.2.gz')]
const lines = [
  auditLine({ time }),
  auditLine({ time, host: 'gone.example', rule: 'allow:gone.example' }),
  auditLine({ time, tenant: 'client-b', host: 'evil.example', verdict: 'denied', rule: 'not-listed', status: '403' }),
]
writeFileSync(plain, `${lines.join('\n')}\nno line of ours\n`)
writeFileSync(packed, gzipSync(`${auditLine({ time })}\n`))

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, `scripts/${script}.mjs`), ...args], { cwd: folder, encoding: 'utf8' })

test('a report of two copies, as JSON lines that end with the summary', () => {
  const { status, stdout, stderr } = run('report', '--log', plain, '--log', packed, '--json')
  assert.is(status, 0, stderr)
  const events = stdout
    .trim()
    .split('\n')
    .map(it => JSON.parse(it))
  assert.equal(
    events.map(it => it.event),
    ['report', 'summary'],
  )
  assert.is(events[1].status, 'ok')
  const { totals, sources, tenants } = events[0].report
  assert.is(totals.requests, 4)
  assert.equal(
    sources.map((it: { lines: number; unparsable: number }) => [it.lines, it.unparsable]),
    [
      [3, 1],
      [1, 0],
    ],
  )
  assert.is(tenants.find((it: { tenant: string }) => it.tenant === 'client-b').denials[0].host, 'evil.example')
})

test('one tenant, as a table and as a JSON document', () => {
  const { stdout } = run('report', '--log', plain, '--tenant', 'client-b')
  assert.match(stdout, /evil\.example:443 +CONNECT +not-listed/)
  assert.not.match(stdout, 'client-a')
  const { tenants } = JSON.parse(run('report', '--log', plain, '--format', 'json').stdout)
  assert.equal(
    tenants.map((it: { tenant: string }) => it.tenant),
    ['client-a', 'client-b'],
  )
})

test('a page in a file that only its owner reads', () => {
  const { status, stdout, stderr } = run('report', '--log', plain, '--format', 'html', '--output', 'page.html')
  assert.is(status, 0, stderr)
  assert.is(stdout, '')
  assert.match(readFileSync(join(folder, 'page.html'), 'utf8'), /^<!doctype html>/)
  assert.is(statSync(join(folder, 'page.html')).mode & 0o777, 0o600)
})

test('a copy that is not there is named, the rest is reported, and the exit code says so', () => {
  const { status, stdout, stderr } = run('report', '--log', plain, '--log', 'nowhere.log')
  assert.is(status, 1)
  assert.match(stdout, 'NOT WHOLE: nowhere.log cannot be read')
  assert.match(stdout, 'evil.example:443')
  assert.match(stderr, 'nowhere.log cannot be read as an audit log')
})

test('replay says what the inventory of today would end otherwise', () => {
  const { status, stdout } = run('replay', '--log', plain, '--json')
  assert.is(status, 0)
  const [{ replay }, summary] = stdout
    .trim()
    .split('\n')
    .map(it => JSON.parse(it))
  assert.is(summary.event, 'summary')
  assert.equal(
    replay.flips.map((it: Record<string, unknown>) => [it.sort, it.tenant, it.host, it.requests]),
    [['cut', 'client-a', 'gone.example', 1]],
  )
  assert.match(run('replay', '--log', plain).stdout, '1 would be refused from now on')
})

for (const { args, says } of [
  { args: ['--tenant', 'client-z'], says: 'the tenants of sandbox are client-a, client-b' },
  { args: ['--since', 'yesterday'], says: '--since "yesterday" is no time that has passed' },
  { args: ['--format', 'pdf'], says: 'a report is table, json, html' },
  { args: ['--output', '/nowhere/at/all.html'], says: 'cannot be written' },
]) {
  test(`${args.join(' ')} ends with 2`, () => {
    const { status, stderr } = run('report', '--log', plain, ...args)
    assert.is(status, 2)
    assert.match(stderr, says)
  })
}

const now = Date.parse('2026-11-21T12:00:00Z')
for (const { text, is } of [
  { text: undefined, is: now - 86_400_000 },
  { text: '90m', is: now - 5_400_000 },
  { text: '7d', is: now - 7 * 86_400_000 },
  { text: '999999d', is: 0 },
  { text: '2026-11-21', is: Date.parse('2026-11-21T00:00:00Z') },
  { text: '2026-11-21T08:00Z', is: Date.parse('2026-11-21T08:00:00Z') },
])
  test(`since ${text}`, () => assert.is(sinceOf(text, now), is))

for (const text of ['', '24', '-1h', '2026-11-22', '2026-11-31T25:00Z', '2026-11-21T08:00', '2026-02-30'])
  test(`since ${text} is refused`, () =>
    assert.throws(
      () => sinceOf(text, now),
      (it: unknown) => it instanceof Problem,
    ))

test('an address is told as the node or the pod that had it then', () => {
  const pod = (name: string, ip: string, startTime: string, more = {}) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'demo' }, spec: more },
    status: { podIP: ip, podIPs: [{ ip }], startTime },
  })
  const nodes = [
    {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } },
      status: { addresses: [{ type: 'InternalIP', address: '172.16.28.20' }] },
    },
  ]
  const pods = [
    pod('old', '10.0.0.1', '2026-11-21T08:00:00Z'),
    pod('new', '10.0.0.1', '2026-11-21T11:00:00Z'),
    pod('on-the-host', '172.16.28.20', '2026-11-21T08:00:00Z', { hostNetwork: true }),
  ]
  const name = namesOf(nodes, pods)
  const at = (clock: string) => Date.parse(`2026-11-21T${clock}:00Z`)
  assert.is(name('172.16.28.20', at('10:00')), 'node-1')
  assert.is(name('10.0.0.1', at('10:00')), 'demo/old')
  assert.is(name('10.0.0.1', at('11:30')), 'demo/new')
  assert.is(name('10.0.0.1', at('07:00')), null)
  assert.is(name('10.0.0.9', at('10:00')), null)
})
