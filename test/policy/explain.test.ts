import { readFileSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { askedOf } from '../../src/cli/asked.ts'
import { Problem } from '../../src/engine/problem.ts'
import { decide } from '../../src/policy/decide.ts'
import { edited, editText } from '../../src/policy/edit.ts'
import { readEntries } from '../../src/policy/entries.ts'
import { explain } from '../../src/policy/explain.ts'
import { policyText, readPolicy } from '../../src/policy/policy-file.ts'
import { suite } from '../support/suite.ts'
import { cases } from './cases.ts'

const { test } = suite('policy explained', { seconds: 120 })

const all = cases()

test('the cases are many, the same each time, and meet every rule', () => {
  assert.ok(all.length >= 2000)
  assert.equal(all.slice(0, 200), cases().slice(0, 200))
  const met = new Map<string, number>()
  for (const it of all) {
    const { policy } = readEntries(it.shared, { tenant: 'a', egress: { ...it.lists, mode: it.mode } })
    const { verdict, rule } = decide(policy, it.request)
    const key = `${verdict} ${rule.includes(':') ? rule.split(':')[0] : rule}`
    met.set(key, (met.get(key) ?? 0) + 1)
  }
  for (const key of ['allowed allow', 'allowed allow-all', 'denied deny', 'denied deny-all', 'denied not-listed'])
    assert.ok((met.get(key) ?? 0) >= 20, `${key}: ${met.get(key)}`)
  for (const key of ['denied port', 'denied method', 'would_deny deny', 'would_deny port', 'would_deny not-listed'])
    assert.ok((met.get(key) ?? 0) >= 5, `${key}: ${met.get(key)}`)
})

test('the file says the same as the entries, in every case', () => {
  for (const { n, shared, lists, mode, request } of all) {
    const { policy } = readEntries(shared, { tenant: 'a', egress: { ...lists, mode } })
    assert.equal(decide(readPolicy(policyText(policy)), request), decide(policy, request), `case ${n}`)
  }
})

test('the change that is told turns the verdict, in every case', () => {
  for (const { n, shared, lists, mode, request } of all) {
    const known = { lists: { context: shared, tenant: lists }, tenant: 'a', mode }
    const { verdict, flip, place, rule, instead } = explain(known, request)
    assert.is(place !== null, rule.includes(':'), `case ${n}`)
    if (!flip) {
      assert.ok(instead, `case ${n} ${JSON.stringify(request)}: ${rule}`)
      continue
    }
    const after = edited(known.lists, flip)
    const { policy } = readEntries(after.context, { tenant: 'a', egress: { ...after.tenant, mode } })
    assert.is.not(decide(policy, request).verdict === 'allowed', verdict === 'allowed', `case ${n}`)
  }
  const known = all.filter(it => it.request.host.endsWith('partner.example'))
  assert.ok(known.length > 50)
})

const lists = {
  context: { deny: [{ domain: '.paste.example' }] },
  tenant: {
    deny: [{ domain: 'admin.x.example' }],
    allow: [
      { domain: '.x.example' },
      { domain: 'api.y.example', ports: [443] },
      { domain: 'read.example', methods: ['GET'] },
      { domain: 'old.example', expires: '2026-11-20' },
      { address: '203.0.113.9' },
      { domain: 'a.paste.example', ports: [8443] },
    ],
  },
}

const asked = [
  'https://www.x.example/path?q=1',
  'https://API.y.example.',
  'https://api.y.example:8443/',
  'http://api.y.example/',
  'https://admin.x.example/',
  'https://a.paste.example:8443/',
  'https://b.paste.example/',
  'http://read.example/',
  'POST http://read.example/',
  'https://old.example/',
  'https://new.example/',
  'http://new.example:8080/',
  'http://x.example:443/',
  'https://bücher.example/',
  'CONNECT 203.0.113.9:443',
  'CONNECT [2001:db8::1]:443',
  'https://169.254.169.254/',
  'https://127.1/',
  'https://com/',
  'ftp://x.example/',
  'TRACE http://x.example/',
  'http://me:secret@x.example/',
  'https://me:secret@x.example/',
  'http://x.example/squid-internal-mgr/info',
  'https://x.example/ to 10.0.0.1',
  'https://x.example/ to none',
]

const told = (mode: 'enforce' | 'report') =>
  asked
    .map(text => {
      const [, method, target = '', to] = /^(?:(POST|TRACE) )?(.*?)(?: to (.*))?$/.exec(text)!
      const request = { ...askedOf([target], method), at: '2026-11-21T10:00:00Z' }
      const resolved = to === undefined ? {} : { resolved: to === 'none' ? [] : [to] }
      const it = explain({ lists, tenant: 'a', mode }, { ...request, ...resolved })
      const where = ({ of, list, at }: { of: string; list: string; at: number }) => `${of}.${list}[${at}]`
      return [
        text,
        `  ${it.verdict} ${it.rule}${it.place ? ` ${where(it.place)}` : ''}: ${it.why}`,
        ...(it.flip ?? []).map(edit => `  flip: ${editText(edit, where)}`),
        ...(it.instead ? [`  instead: ${it.instead}`] : []),
      ].join('\n')
    })
    .join('\n')

for (const mode of ['enforce', 'report'] as const)
  test(`what people read, in ${mode} mode`, () => {
    const file = new URL(`../golden/explain-${mode}.txt`, import.meta.url)
    const text = `${told(mode)}\n`
    if (process.env.UPDATE) writeFileSync(file, text)
    assert.is(text, readFileSync(file, 'utf8'))
  })

for (const text of ['', 'x.example', 'CONNECT x.example', 'https://', 'https://a b/', 'https://x.example:999999/'])
  test(`nothing to ask for: ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => askedOf([text]),
      (it: unknown) => it instanceof Problem && it.exit === 2,
    ))
