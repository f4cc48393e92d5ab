import * as assert from 'uvu/assert'
import type { Policy, Rule } from '../../src/policy/policy.ts'
import { samplesOf } from '../../src/policy/samples.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('policy/samples')

const rule = (effect: Rule['effect'], name: string, more: Partial<Rule> = {}): Rule => ({
  ...{ id: `${effect}:${name}`, effect, name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
  ...more,
})
const of = (mode: Policy['mode'], rules: Rule[]) =>
  samplesOf({
    policy: { tenant: 'a', mode, rules },
    proxies: [{ address: '172.16.28.8', port: 3128 }],
    inner: ['172.16.28.0/22'],
    echo: ['https://echo.example/'],
    forbidden: 'https://forbidden.example/',
  })
const rules = [
  rule('deny', 'no.x.example'),
  rule('allow', '.x.example'),
  rule('allow', 'y.example', { connect: [8443] }),
]
const expected = (mode: Policy['mode'], url: string) => of(mode, rules).find(it => it.url === url)?.expected

for (const [url, enforce, report] of [
  ['https://x.example/', 'allowed', 'allowed'],
  ['https://y.example:8443/', 'allowed', 'allowed'],
  ['https://no.x.example/', 'refused', 'noted'],
  ['https://forbidden.example/', 'refused', 'noted'],
  ['https://x.example:22/', 'refused', 'noted'],
  ['https://not-x.example/', 'refused', 'noted'],
  ['http://169.254.42.42/conf', 'refused', 'refused'],
  ['http://172.16.28.1/', 'refused', 'refused'],
  ['http://172.16.28.8:3128/squid-internal-mgr/info', 'refused', 'refused'],
  ['https://echo.example/', 'blocked', 'blocked'],
] as const)
  test(`${url}: ${enforce} when enforced, ${report} when reported`, () => {
    assert.equal([expected('enforce', url), expected('report', url)], [enforce, report])
  })

test('an entry that is over is not asked for as allowed', () => {
  const [first] = of('enforce', [rule('allow', 'old.example', { expires: '2020-01-01' })])
  assert.is(first!.kind, 'a name that is on no list')
})

test('of a long list some are asked for, from all of it', () => {
  const many = Array.from({ length: 1000 }, (_, n) => rule('allow', `n${n}.example`))
  const asked = of('enforce', many).filter(it => it.kind === 'an entry of the policy')
  assert.equal(
    asked.map(it => it.url),
    [
      'https://n0.example/',
      'https://n200.example/',
      'https://n400.example/',
      'https://n600.example/',
      'https://n800.example/',
    ],
  )
})

test('an empty policy still has what nobody may reach', () => {
  assert.ok(of('enforce', []).filter(it => it.expected === 'refused').length > 15)
})

test('a policy whose first entry is an address is asked about as well', () => {
  for (const names of [['203.0.113.9'], ['203.0.113.9', '2001:db8::1'], ['203.0.113.9', 'z.example']]) {
    const all = of(
      'enforce',
      names.map(it => rule('allow', it)),
    )
    assert.ok(all.some(it => it.url === 'https://203.0.113.9/' && it.expected === 'allowed'))
    assert.is(
      all.some(it => it.url === 'https://not-z.example/'),
      names.includes('z.example'),
    )
  }
})

test('raw bytes are refused in either mode, and say an allowed name as Host', () => {
  for (const mode of ['enforce', 'report'] as const) {
    const raw = of(mode, rules).filter(it => it.raw)
    assert.ok(raw.length > 10)
    assert.ok(raw.every(it => it.expected === 'refused' && ['x.example', 'y.example'].includes(it.raw!.host)))
  }
})
