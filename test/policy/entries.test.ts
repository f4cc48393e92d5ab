import * as assert from 'uvu/assert'
import { Problems } from '../../src/engine/problem.ts'
import { policyOf, readEntries } from '../../src/policy/entries.ts'
import type { Entry, Lists } from '../../src/policy/entry.ts'
import { policyText } from '../../src/policy/policy-file.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('policy entries')

const read = (lists: Lists, shared: Lists = {}) =>
  readEntries(shared, { tenant: 'a', egress: { mode: 'enforce', ...lists } }, '2026-11-21')

const told = (lists: Lists, shared: Lists = {}) =>
  read(lists, shared).mistakes.map(
    it => `${it.warning ? 'note ' : ''}${it.of} ${it.list} ${it.at} ${it.field ?? '-'}: ${it.what}`,
  )

for (const [when, list, entry, line] of [
  ['a domain', 'allow', { domain: 'Bücher.Example.' }, 'xn--bcher-kva.example 443 80 * -'],
  ['ports', 'allow', { domain: '.x.example', ports: [8443, 443, 80, 443] }, '.x.example 443,8443 80,8443 * -'],
  ['a tunnel alone', 'allow', { domain: 'x.example', protocols: ['connect'] }, 'x.example 443 - * -'],
  ['plain at 443', 'allow', { domain: 'x.example', ports: [443], protocols: ['http'] }, 'x.example - 443 * -'],
  ['methods are plain', 'allow', { domain: 'x.example', methods: ['POST', 'GET'] }, 'x.example - 80 GET,POST -'],
  [
    'methods and both',
    'allow',
    { domain: 'x.example', methods: ['GET'], protocols: ['connect', 'http'] },
    'x.example 443 80 GET -',
  ],
  ['a date', 'allow', { domain: 'x.example', expires: '2027-11-21' }, 'x.example 443 80 * 2027-11-21'],
  ['an address', 'allow', { address: '2001:DB8::1' }, '2001:db8::1 443 80 * -'],
  ['a suffix that is meant', 'allow', { domain: '.github.io', suffix: true }, '.github.io 443 80 * -'],
  ['one name that is a suffix', 'allow', { domain: 'github.io' }, 'github.io 443 80 * -'],
  ['a denial', 'deny', { domain: '.x.example' }, '.x.example * * * -'],
  ['a denial of tunnels', 'deny', { domain: 'x.example', protocols: ['connect'] }, 'x.example * - * -'],
  ['a denial of one port', 'deny', { domain: 'x.example', ports: [8443] }, 'x.example 8443 8443 * -'],
  ['a denial of a whole registry', 'deny', { domain: '.ru' }, '.ru * * * -'],
  ['a denial of an inner address', 'deny', { address: '10.0.0.1' }, '10.0.0.1 * * * -'],
] as const)
  test(`a rule of ${when}`, () => {
    const { policy, mistakes } = read({ [list]: [entry as Entry] })
    assert.equal(mistakes, [])
    const fields = policyText(policy).split('\n')[3]!.split('\t')
    assert.is(fields.slice(1, -1).join(' '), line)
    assert.is(fields.at(-1), `${list}:${fields[1]}`)
  })

for (const [when, lists, says] of [
  ['neither name nor address', { allow: [{ ports: [443] }] }, ['tenant allow 0 -: an entry names']],
  ['both', { allow: [{ domain: 'x.example', address: '203.0.113.9' }] }, ['tenant allow 0 -: an entry names']],
  ['a URL', { deny: [{ domain: 'https://x.example' }] }, ['tenant deny 0 domain: "https://x.example" is no']],
  ['a registry', { allow: [{ domain: '.co.uk' }] }, ['tenant allow 0 domain: .co.uk cannot']],
  ['a registry with the flag', { allow: [{ domain: '.com', suffix: true }] }, ['tenant allow 0 domain: .com cannot']],
  ['everybody', { allow: [{ domain: '.github.io' }] }, ['tenant allow 0 domain: .github.io is a public suffix']],
  ['metadata', { allow: [{ address: '169.254.169.254' }] }, ['tenant allow 0 address: 169.254.169.254 cannot']],
  [
    'IPv4 inside IPv6',
    { allow: [{ address: '::ffff:8.8.8.8' }] },
    ['tenant allow 0 address: ::ffff:8.8.8.8 can never'],
  ],
  ['a denial of it', { deny: [{ address: '::FFFF:a00:1' }] }, ['tenant deny 0 address: ::FFFF:a00:1 can never']],
  [
    'metadata inside',
    { allow: [{ address: '::ffff:a9fe:a9fe' }] },
    ['tenant allow 0 address: ::ffff:a9fe:a9fe cannot'],
  ],
  ['a range', { allow: [{ address: '203.0.113.0/24' }] }, ['tenant allow 0 address: "203.0.113.0/24" is not']],
  [
    'methods in a tunnel',
    { allow: [{ domain: 'x.example', protocols: ['connect'], methods: ['GET'] }] },
    ['tenant allow 0 methods: methods on an entry'],
  ],
  [
    'the same in other letters',
    { allow: [{ domain: 'bücher.example' }, { domain: 'XN--BCHER-KVA.example.' }] },
    ['tenant allow 1 domain: xn--bcher-kva.example is there twice'],
  ],
  [
    'covered from above, before or after',
    { allow: [{ domain: 'a.x.example' }, { domain: '.x.example' }, { domain: '.b.x.example', ports: [443] }] },
    ['tenant allow 0 domain: a.x.example is covered by .x.example', 'tenant allow 2 domain: .b.x.example is covered'],
  ],
  ['other ports', { allow: [{ domain: 'x.example' }, { domain: 'x.example', ports: [8443] }] }, []],
  ['an apex is not below', { allow: [{ domain: 'x.example' }, { domain: '.a.x.example' }] }, []],
  ['an earlier end', { allow: [{ domain: '.x.example', expires: '2027-01-01' }, { domain: 'a.x.example' }] }, []],
  [
    'a later end',
    { allow: [{ domain: '.x.example' }, { domain: 'a.x.example', expires: '2027-01-01' }] },
    ['tenant allow 1 domain: a.x.example is covered'],
  ],
  [
    'never',
    { allow: [{ domain: 'a.x.example' }], deny: [{ domain: '.x.example' }] },
    ['tenant allow 0 domain: a.x.example is allowed and can never match'],
  ],
  ['partly denied', { allow: [{ domain: '.x.example' }], deny: [{ domain: 'a.x.example' }] }, []],
  ['denied on one port', { allow: [{ domain: 'x.example' }], deny: [{ domain: 'x.example', ports: [443] }] }, []],
  [
    'over',
    { allow: [{ domain: 'x.example', expires: '2026-11-20' }, { domain: 'x.example' }] },
    ['note tenant allow 0 expires: this entry ended on 2026-11-20'],
  ],
  [
    'nearly over',
    {
      allow: [
        { domain: 'x.example', expires: '2026-12-05' },
        { domain: 'y.example', expires: '2026-12-06' },
      ],
    },
    ['note tenant allow 0 expires: this entry ends on 2026-12-05'],
  ],
] as const)
  test(`mistakes: ${when}`, () => {
    const found = told(lists as unknown as Lists)
    assert.is(found.length, says.length, found.join('\n'))
    for (const [at, it] of says.entries()) assert.ok(found[at]!.startsWith(it), found[at])
  })

test('all mistakes are told at once', () =>
  assert.is(told({ allow: [{ domain: '*.a' }, { domain: 'b.example:1' }], deny: [{ domain: '' }] }).length, 3))

test('no policy is made of entries with mistakes', () =>
  assert.throws(
    () => policyOf({ policy: { deny: [{ domain: '*.a' }] } }, { tenant: 'a', egress: { mode: 'enforce' } }),
    (it: unknown) => it instanceof Problems && it.exit === 2,
  ))

test('a list for all tenants is never stopped by one of them', () => {
  const shared = { allow: [{ domain: '.x.example' }], deny: [{ domain: '.y.example' }] }
  const own = { allow: [{ domain: 'a.x.example' }, { domain: 'y.example' }] }
  assert.equal(told(own, shared), [
    'note tenant allow 0 domain: a.x.example is covered by .x.example of the context',
    'note tenant allow 1 domain: y.example is allowed and can never match',
  ])
  assert.equal(
    read(own, shared).policy.rules.map(it => it.id),
    ['deny-all:.y.example', 'allow-all:.x.example', 'allow:a.x.example', 'allow:y.example'],
  )
})

test('two entries of one name have two ids', () => {
  const { policy } = read({ allow: [{ domain: 'x.example' }, { domain: 'x.example', ports: [8443] }] })
  assert.equal(
    policy.rules.map(it => it.id),
    ['allow:x.example', 'allow:x.example/2'],
  )
})

test('what the schema refused is not told again', () =>
  assert.equal(told({ allow: [undefined, { domain: undefined }, { domain: 'x.example', ports: [undefined] }] }), []))

// If each were held against each other, the suite's limit would end it.
test('a hundred thousand entries are read', () => {
  const allow = Array.from({ length: 100_000 }, (_, n) => ({ domain: `.n${n}.partner${n % 100}.example` }))
  assert.equal(read({ allow }).mistakes, [])
})
