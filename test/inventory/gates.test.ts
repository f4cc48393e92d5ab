import * as assert from 'uvu/assert'
import { usualCount } from '../../src/inventory/check-gates.ts'
import { loadContext, loadInventory } from '../../src/inventory/load.ts'
import { builtInNames } from '../../src/inventory/schema-gates.ts'
import { gatesAt, type Moment } from '../../src/rollout/gates/all.ts'
import { conditionOf } from '../../src/rollout/gates/condition.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: gates')
after(cleanUp)

const ROLLOUT = 'then: { batches: [50%, 100%], soak: 1s }'
const written = (text: string) => changed({ 'tenants/client-a.yaml': [[ROLLOUT, `${ROLLOUT}\n  ${text}`]] })

test('the inventory knows the gates that there are', () => {
  const gates = (['gateway', 'ahead', 'moved', 'soaked'] as Moment[]).flatMap(it =>
    gatesAt(it, { verify: { allowed: [] }, rollout: { externalAllowlist: { prove: 'x:1' } } }),
  )
  assert.equal(new Set(gates.map(it => it.name)), new Set(builtInNames))
  for (const it of gates) assert.is(it.count, usualCount[it.name] ?? 1, it.name)
})

test('limits and patience reach the tenant', async () => {
  const copy = written("builtIn: { 'direct access is blocked': { count: 3 } }\n  inconclusive: { then: ask }")
  const { rollout } = (await loadContext('sandbox', { root: copy })).tenants[0]!
  // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits it
  assert.equal(rollout.inconclusive, { within: '10m', then: 'ask' })
  assert.equal(rollout.builtIn, { 'direct access is blocked': { count: 3 } })
})

for (const { text, says } of [
  {
    text: "builtIn: { 'direct access is blokked': { count: 3 } }",
    says: /blokked.*did you mean direct access is blocked\?/,
  },
  { text: "builtIn: { 'direct access is blocked': { coutn: 3 } }", says: /coutn.*did you mean count\?/ },
  { text: "builtIn: { 'direct access is blocked': { interval: soon } }", says: /a duration is like/ },
  {
    text: "builtIn: { 'direct access is blocked': { failureLimit: 1 } }",
    says: /pass on failures alone.*1 measurements/,
  },
  { text: "builtIn: { 'pods ready and not restarting': { failureLimit: 3 } }", says: /pass on failures alone/ },
  { text: "builtIn: { 'direct access is blocked': { consecutiveSuccessLimit: 2 } }", says: /never come/ },
  { text: 'soon: 1', says: /soon/ },
  { text: 'gates: [{ name: a }]', says: /asks nothing.*http, tcp, prometheus, command, log/ },
  { text: "gates: [{ name: a, tcp: 'x:1', http: 'http://x/' }]", says: /asks 2 things/ },
  { text: "gates: [{ name: a, tcp: 'x:1', status: [200] }]", says: /status says nothing here.*belongs to http/ },
  { text: "gates: [{ name: a, http: 'http://x/', env: [X] }]", says: /env says nothing here.*belongs to command/ },
  { text: "gates: [{ name: a, http: 'http://u:p@x/' }]", says: /no user and password here/ },
  { text: 'gates: [{ name: a, tcp: nowhere }]', says: /it is like db/ },
  { text: "gates: [{ name: a, tcp: 'db.shop.svc:70000' }]", says: /a port is 1 to 65535/ },
  { text: "gates: [{ name: a, tcp: 'db.shop.svc:0' }]", says: /a port is 1 to 65535/ },
  { text: "gates: [{ name: a, tcp: '[1:2]:80' }]", says: /a port is 1 to 65535/ },
  { text: "gates: [{ name: a, tcp: 'x:1', initialDelay: 600h }]", says: /at most 24 days/ },
  { text: "gates: [{ name: a, command: [x], env: ['X=secret'] }]", says: /the name of a variable, never its value/ },
  { text: "gates: [{ name: a, tcp: 'x:1' }, { name: a, tcp: 'x:2' }]", says: /gate a is there twice/ },
  { text: "gates: [{ name: direct access is blocked, tcp: 'x:1' }]", says: /is there twice/ },
  { text: "gates: [{ name: a, tcp: 'x:1', count: 3, failureLimit: 3 }]", says: /pass on failures alone/ },
  { text: "gates: [{ name: a, prometheus: { server: 'http://x', query: up } }]", says: /needs pass, fail or both/ },
  {
    text: "gates: [{ name: a, prometheus: { server: 'http://x', query: up, pass: 'up > 1' } }]",
    says: /result < 0.05/,
  },
  { text: 'gates: [{ name: a, log: { container: c } }]', says: /needs contains or absent/ },
  { text: 'inconclusive: { then: promote }', says: /rollback.*ask/ },
]) {
  test(`a mistake is found: ${text}`, async () => {
    const found = await mistakes(written(text))
    assert.is(found.length, 1)
    assert.match(found.map(it => `${it.message} ${it.why} ${it.next}`).join('\n'), says)
    assert.is(found[0]?.exit, 2)
  })
}

for (const { echo, noted } of [
  { echo: 'https://whatismyip.example/, http://whatismyip.example/', noted: true },
  { echo: 'https://whatismyip.example/, http://ifconfig.example/', noted: false },
]) {
  test(`echo services ${echo}: ${noted ? 'a note' : 'no note'}`, async () => {
    const copy = changed({ 'context.yaml': [[/echo: \[.*\]/, `echo: [ ${echo} ]`]] })
    const { warnings } = await loadInventory('sandbox', { root: copy })
    assert.equal(
      warnings.map(it => /only whatismyip.example is asked/.test(it.message)),
      noted ? [true] : [],
    )
  })
}

for (const { url, says } of [
  { url: 'https://api.partner.example/', says: null },
  { url: 'https://denied.example/', says: /denied.example.* is not allowed/ },
  { url: 'ftp://api.partner.example/', says: /http/ },
]) {
  test(`a destination to see answer, ${url}: ${says ?? 'fine'}`, async () => {
    const text = `verify: { allowed: ['${url}'] }\nrollout:`
    const found = await mistakes(changed({ 'tenants/client-a.yaml': [[/^rollout:/m, text]] }))
    if (says) assert.match(found.map(it => it.message + it.why).join(), says)
    assert.is(found.length, says ? 1 : 0)
  })
}

test('gates of every kind reach the rollout, after the ones that every rollout has', async () => {
  const copy = written(`gates:
    - { name: shop answers, http: "https://api.partner.example/", status: [200, 204], interval: 1s, count: 3 }
    - { name: database, tcp: "db.shop.svc:5432", from: here, dryRun: true }
    - name: few errors
      prometheus:
        { server: "http://prometheus:9090", query: 'e{ns="{{namespace}}"}', pass: result < 0.05, token: { env: TOKEN } }
    - { name: orders, command: [./orders.sh, --quick], env: [PGPASSWORD], timeout: 1m }
    - { name: no panics, log: { absent: panic } }`)
  const tenant = (await loadContext('sandbox', { root: copy })).tenants[0]!
  const own = gatesAt('moved', tenant).slice(gatesAt('moved').length)
  assert.equal(
    own.map(({ name, count, interval, dryRun }) => [name, count, interval, dryRun]),
    [
      ['shop answers', 3, '1s', false],
      ['database', 1, '10s', true],
      ['few errors', 1, '10s', false],
      ['orders', 1, '10s', false],
      ['no panics', 1, '10s', false],
    ],
  )
  assert.is(gatesAt('soaked', tenant).length, gatesAt('soaked').length + 5)
  assert.equal(gatesAt('gateway', tenant), gatesAt('gateway'))
})

for (const it of ['result < 0.05', 'result>=1', ' result == -2.5e-3 ', 'result != 0']) {
  test(`the inventory and the gate know the same condition: ${it}`, async () => {
    const gate = `{ name: a, prometheus: { server: 'http://x', query: up, pass: '${it}' } }`
    assert.equal(await mistakes(written(`gates: [${gate}]`)), [])
    assert.ok(conditionOf(it))
  })
}

test('an address that is a secret is not repeated where it is written by mistake', async () => {
  const url = 'https://hooks.example/services/hidden'
  const copy = changed({
    'context.yaml': [['\nverify:', `\nrollout: { notify: { webhook: { url: "${url}" } } }\nverify:`]],
  })
  const found = await mistakes(copy)
  assert.is(found.length, 1)
  const { message, why, next, exit } = found[0]!
  assert.is(exit, 2)
  assert.match(message, /rollout\.notify\.webhook\.url/)
  assert.not.match(`${message} ${why} ${next}`, /hidden/)
})
