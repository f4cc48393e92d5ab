import * as assert from 'uvu/assert'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { createReport } from '../../src/policy/report.ts'
import { auditPage } from '../../src/report/audit-page.ts'
import { auditText } from '../../src/report/audit-table.ts'
import { html } from '../../src/report/markup.ts'
import { bytesText, countText, visible } from '../../src/report/visible.ts'
import { auditLine } from '../policy/lines.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('report: the audit report as text and page')

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></style></svg><script>1</script>',
  '&lt;script&gt;',
  '`${alert(1)}`',
  '\u001b]0;owned\u0007\u001b[2J',
  '\u202etxt.exe',
  'a\nb\rc\u2028d\u0000e',
  ']]><!--',
  'javascript:alert(1)',
  'é'.repeat(600),
]

const policy: Policy = {
  tenant: 'client-a',
  mode: 'report',
  rules: [
    {
      ...{ id: 'allow:.unused.example', effect: 'allow', name: '.unused.example', connect: [443], http: [80] },
      ...{ methods: null, expires: null, comment: '<b>old & "quoted"</b>', requestedBy: "<i>o'neil</i>" },
    },
  ],
}

/** Every field a client has a hand in, each verdict. */
const made = (() => {
  const until = Date.parse('2026-11-21T12:00:00.000Z')
  const report = createReport({
    ...{ context: 'test', since: until - 86_400_000, until, policies: [policy], from: () => '<u>pod</u>' },
  })
  for (const text of hostile)
    for (const verdict of ['allowed', 'denied', 'would_deny', '-']) {
      const it = encodeURIComponent(text)
      const line = auditLine({ host: it, method: it, path: it, agent: it, verdict, rule: 'not-listed' })
      report.add(parseAuditLine(line)!)
    }
  const source = { proxy: 'proxy-<a>', lines: 48, unparsable: 1, problem: 'proxy-<a>: "gone" & away' }
  return report.end([source])
})()

test('hostile log content is text on the page, wherever it stands', () => {
  const page = auditPage(made)
  const tags = new Set([...page.matchAll(/<\/?([a-zA-Z!][\w-]*)/g)].map(it => it[1]!.toLowerCase()))
  assert.equal([...tags].sort(), [
    ...[
      '!doctype',
      'body',
      'caption',
      'dd',
      'desc',
      'div',
      'dl',
      'dt',
      'h1',
      'h2',
      'h3',
      'head',
      'header',
      'html',
      'i',
    ],
    ...['line', 'main', 'meta', 'p', 'rect', 'section', 'small', 'span', 'strong', 'style', 'svg', 'table', 'tbody'],
    ...['td', 'text', 'th', 'thead', 'title', 'tr'],
  ])
  assert.not.match(page, /<[^>]*\son\w+\s*=/i)
  assert.not.match(page.replace(/&#\d+;/g, ''), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/)
})

test('the page needs nothing from outside and says so to the browser', () => {
  const page = auditPage(made)
  assert.match(page, `http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`)
  assert.not.match(page, /<(script|link|img|iframe|object)|url\(|@import|(?:src|href)\s*=\s*"(?!#)/i)
})

test('the page can be read without seeing it', () => {
  const page = auditPage(made)
  assert.match(page, '<html lang="en">')
  const charts = [...page.matchAll(/<svg [^>]*>/g)].map(it => it[0])
  assert.is(charts.length, 3)
  const ids = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(it => it[1]!))
  for (const it of charts) {
    assert.match(it, 'role="img"')
    const [, labels = ''] = /aria-labelledby="([^"]+)"/.exec(it) ?? []
    for (const label of labels.split(' ')) assert.ok(ids.has(label), `${label} is there`)
  }
  assert.is(page.split('<table').length, page.split('<caption>').length)
  assert.ok(page.split('<th scope="col"').length > 10)
  for (const it of ['@media print', 'prefers-color-scheme: dark']) assert.match(page, it)
})

test('tags are closed in their order', () => {
  const open: string[] = []
  for (const [, slash, name = '', empty] of auditPage(made).matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
    if (empty || name === 'meta') continue
    if (slash) assert.is(open.pop(), name)
    else open.push(name)
  }
  assert.equal(open, [])
})

test('a proxy that could not be read stands at the top of the page and of the table', () => {
  assert.match(auditPage(made), 'role="alert"')
  assert.match(auditText(made), 'NOT WHOLE: proxy-<a>: "gone" & away')
  assert.match(auditText(made), '1 lines are not of the audit log’s form'.replace('’', "'"))
})

test('hostile log content cannot draw on a terminal', () => {
  const text = auditText(made)
  assert.not.match(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/)
  assert.match(text, '\\u001b]0;owned\\u0007')
})

test('an empty report is a page too', () => {
  const empty = createReport({ context: 'test', since: 0, until: 3_600_000, policies: [] })
  assert.match(auditPage(empty.end([])), '<h1>Egress of test</h1>')
  assert.match(auditText(empty.end([])), 'test: 1970-01-01 00:00:00')
})

test('what is put into HTML is escaped, unless it is HTML', () => {
  const part = html`<b title="${'"\'`'}">${'<&>'}</b>`
  assert.is(html`${part}${[part]}${3}`.text, `${part.text}${part.text}3`)
  assert.is(part.text, '<b title="&#34;&#39;&#96;">&#60;&#38;&#62;</b>')
})

for (const { bytes, is } of [
  { bytes: 0, is: '0 B' },
  { bytes: 1023, is: '1023 B' },
  { bytes: 1536, is: '1.5 KiB' },
  { bytes: 250 * 1024 ** 2, is: '250 MiB' },
  { bytes: 1024 ** 6, is: '1024 PiB' },
])
  test(`${bytes} bytes`, () => assert.is(bytesText(bytes), is))

test('counts and cut text', () => {
  assert.is(countText(1234567), '1,234,567')
  assert.is(countText(999), '999')
  assert.is(visible('a'.repeat(90)).length, 80)
})
