import * as assert from 'uvu/assert'
import { decide } from '../../src/policy/decide.ts'
import { innerRange } from '../../src/policy/inner.ts'
import type { Policy, Request, Rule } from '../../src/policy/policy.ts'
import { readPolicy } from '../../src/policy/policy-file.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('policy decisions')

const rules = [
  'deny\t.admin.x.example\t*\t*\t*\t-\tdeny:.admin.x.example',
  'deny\tpost.x.example\t-\t80\tPOST\t-\tdeny:post.x.example',
  'deny\tshort.x.example\t443\t-\t*\t2026-11-21\tdeny:short.x.example',
  'allow\t.x.example\t443\t80\t*\t-\tallow:.x.example',
  'allow\tapi.x.example\t443,8443\t-\t*\t-\tallow:api.x.example',
  'allow\tread.example\t-\t80\tGET,HEAD\t-\tallow:read.example',
  'allow\told.example\t443\t-\t*\t2026-11-21\tallow:old.example',
  'allow\t203.0.113.9\t443\t-\t*\t-\tallow:203.0.113.9',
  'allow\t2001:db8::1\t443\t-\t*\t-\tallow:2001:db8::1',
]
const policy = (mode: Policy['mode']) =>
  readPolicy(
    `kapsule-egress-policy\t1\ntenant\ta\nmode\t${mode}\n${rules.map(it => `${it}\n`).join('')}end\t${rules.length}\n`,
  )

/** `CONNECT host:port`, or `METHOD URL`, on the day that the short entries end. */
const request = (text: string): Request => {
  const [method = '', target = ''] = text.split(' ')
  const at = '2026-11-21T23:59:59.999Z'
  if (method === 'CONNECT') {
    const [, host = '', port] = /^(.*):(\d+)$/.exec(target) ?? []
    return { method, protocol: 'connect', scheme: '', host, port: Number(port), at }
  }
  const [, scheme = '', host = '', port] = /^(\w+):\/\/([^/:]*)(?::(\d+))?/.exec(target) ?? []
  return { method, protocol: 'http', scheme, host, port: Number(port ?? 80), at }
}

for (const [text, enforce, report] of [
  ['CONNECT x.example:443', 'allowed allow:.x.example', 'allowed allow:.x.example'],
  ['GET http://www.x.example/', 'allowed allow:.x.example', 'allowed allow:.x.example'],
  ['CONNECT WWW.X.EXAMPLE.:443', 'allowed allow:.x.example', 'allowed allow:.x.example'],
  ['CONNECT api.x.example:443', 'allowed allow:api.x.example', 'allowed allow:api.x.example'],
  ['CONNECT api.x.example:8443', 'allowed allow:api.x.example', 'allowed allow:api.x.example'],
  ['GET http://api.x.example/', 'allowed allow:.x.example', 'allowed allow:.x.example'],
  ['CONNECT a.admin.x.example:443', 'denied deny:.admin.x.example', 'would_deny deny:.admin.x.example'],
  ['CONNECT admin.x.example:22', 'denied deny:.admin.x.example', 'would_deny deny:.admin.x.example'],
  ['POST http://post.x.example/', 'denied deny:post.x.example', 'would_deny deny:post.x.example'],
  ['GET http://post.x.example/', 'allowed allow:.x.example', 'allowed allow:.x.example'],
  ['CONNECT short.x.example:443', 'denied deny:short.x.example', 'would_deny deny:short.x.example'],
  ['CONNECT old.example:443', 'allowed allow:old.example', 'allowed allow:old.example'],
  ['GET http://read.example/', 'allowed allow:read.example', 'allowed allow:read.example'],
  ['POST http://read.example/', 'denied method', 'would_deny method'],
  ['CONNECT read.example:443', 'denied port', 'would_deny port'],
  ['CONNECT x.example:8443', 'denied port', 'would_deny port'],
  ['CONNECT x.example:80', 'denied port', 'would_deny port'],
  ['GET http://x.example:443/', 'denied port', 'would_deny port'],
  ['CONNECT evilx.example:443', 'denied not-listed', 'would_deny not-listed'],
  ['CONNECT x.example.evil.test:443', 'denied not-listed', 'would_deny not-listed'],
  ['CONNECT example:443', 'denied not-listed', 'would_deny not-listed'],
  ['CONNECT 203.0.113.9:443', 'allowed allow:203.0.113.9', 'allowed allow:203.0.113.9'],
  ['CONNECT 2001:DB8::1:443', 'allowed allow:2001:db8::1', 'allowed allow:2001:db8::1'],
  ['CONNECT 203.0.113.10:443', 'denied not-listed', 'would_deny not-listed'],
  ['CONNECT 169.254.169.254:443', 'denied not-listed', 'denied inner'],
  ['TRACE http://x.example/', 'denied method', 'denied method'],
  ['get http://x.example/', 'denied method', 'denied method'],
  ['GET ftp://x.example/', 'denied scheme', 'denied scheme'],
  ['CONNECT 127.1:443', 'denied authority', 'denied authority'],
  ['CONNECT x.example..:443', 'denied authority', 'denied authority'],
  ['CONNECT x.example:0', 'denied authority', 'denied authority'],
  ['CONNECT x.example:65536', 'denied authority', 'denied authority'],
] as const)
  test(text, () => {
    for (const [mode, wanted] of [
      ['enforce', enforce],
      ['report', report],
    ] as const) {
      const { verdict, rule } = decide(policy(mode), request(text))
      assert.is(`${verdict} ${rule}`, wanted, mode)
    }
  })

for (const [when, resolved, enforce, report] of [
  ['a public address', ['198.51.100.7'], 'allowed', 'would_deny'],
  ['no address', [], 'denied unresolved', 'denied unresolved'],
  ['a private address among public ones', ['198.51.100.7', '10.0.0.1'], 'denied inner', 'denied inner'],
  ['an address of ours', ['192.0.2.1'], 'denied inner', 'denied inner'],
] as const)
  test(`a name that leads to ${when}`, () => {
    const how = { inner: ['192.0.2.0/24'] }
    const told = (text: string, mode: Policy['mode']) => {
      const { verdict, rule } = decide(policy(mode), { ...request(text), resolved: [...resolved] }, how)
      return verdict === 'denied' ? `${verdict} ${rule}` : verdict
    }
    assert.is(told('CONNECT x.example:443', 'enforce'), enforce)
    assert.is(told('CONNECT other.example:443', 'report'), report)
    assert.is(told('CONNECT other.example:443', 'enforce'), 'denied not-listed', 'nobody looks a refused name up')
  })

for (const [path, rule] of [
  ['/squid-internal-mgr/info', 'manager'],
  ['/squid-internal-mgr%2finfo', 'manager'],
  ['/%73quid-internal%2Dmgr/', 'manager'],
  ['/squid-internal-mgr', 'allow:.x.example'],
  ['/SQUID-INTERNAL-MGR/info', 'allow:.x.example'],
  ['/x/squid-internal-mgr/info', 'allow:.x.example'],
] as const)
  test(`the path ${path}`, () =>
    assert.is(decide(policy('enforce'), { ...request('GET http://x.example/'), path }).rule, rule))

test('an entry holds to the end of its last day', () => {
  const after = { ...request('CONNECT old.example:443'), at: '2026-11-22T00:00:00.000Z' }
  assert.is(decide(policy('enforce'), after).rule, 'not-listed')
  const short = { ...request('CONNECT short.x.example:443'), at: '2026-11-22' }
  assert.is(decide(policy('enforce'), short).rule, 'allow:.x.example')
})

for (const [address, range] of [
  ['8.8.8.8', undefined],
  ['169.254.42.42', '169.254.0.0/16'],
  ['100.64.0.1', '100.64.0.0/10'],
  ['172.32.0.1', undefined],
  ['::ffff:10.0.0.1', '10.0.0.0/8'],
  ['::ffff:a00:1', '10.0.0.0/8'],
  ['::ffff:808:808', undefined],
  ['::1', '::/96'],
  ['::7f00:1', '::/96'],
  ['64:ff9b::a00:1', '64:ff9b::/96'],
  ['2002:a00:1::', '2002::/16'],
  ['2001:0:1::', '2001::/23'],
  ['fd00:42::42', 'fc00::/7'],
  ['fe80::1', 'fe80::/10'],
  ['2606:4700::1111', undefined],
  ['100:0:0:1::1', '100::/8'],
  ['1fff:ffff::1', '1000::/4'],
  ['2000::1', undefined],
  ['3fff:ffff::1', undefined],
  ['4000::1', '4000::/2'],
  ['fbff::1', 'f800::/6'],
  ['fe7f:ffff::1', 'fe00::/9'],
] as const)
  test(`inner: ${address}`, () => assert.is(innerRange(address), range))

test('a hundred thousand rules are not read one by one', () => {
  const one = policy('enforce').rules[3]!
  let read = 0
  const rule = (n: number): Rule => ({
    ...one,
    get name() {
      read++
      return `.n${n}.example`
    },
  })
  const large: Policy = { tenant: 'a', mode: 'enforce', rules: Array.from({ length: 100_000 }, (_, n) => rule(n)) }
  const asked = request('CONNECT www.n99999.example:443')
  decide(large, asked)
  read = 0
  for (let n = 0; n < 100; n++) assert.is(decide(large, asked).verdict, 'allowed')
  assert.ok(read < 1000, `${read} names were read`)
})
