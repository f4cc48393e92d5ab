import * as assert from 'uvu/assert'
import { usualCount } from '../../src/inventory/check-gates.ts'
import { loadContext, loadInventory } from '../../src/inventory/load.ts'
import { builtInNames } from '../../src/inventory/schema-gates.ts'
import { gatesAt, type Moment } from '../../src/rollout/gates.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory: gates')
after(cleanUp)

const ROLLOUT = 'then: { batches: [50%, 100%], soak: 1s }'
const written = (text: string) => changed({ 'tenants/client-a.yaml': [[ROLLOUT, `${ROLLOUT}\n  ${text}`]] })

test('the inventory knows the gates that there are', () => {
  const gates = (['gateway', 'moved', 'soaked'] as Moment[]).flatMap(it => gatesAt(it, { verify: { allowed: [] } }))
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
  { text: "builtIn: { 'direct access is blokked': { count: 3 } }", says: /blokked/ },
  { text: "builtIn: { 'direct access is blocked': { coutn: 3 } }", says: /coutn/ },
  { text: "builtIn: { 'direct access is blocked': { interval: soon } }", says: /a duration is like/ },
  {
    text: "builtIn: { 'direct access is blocked': { failureLimit: 1 } }",
    says: /pass on failures alone.*1 measurements/,
  },
  { text: "builtIn: { 'pods ready and not restarting': { failureLimit: 3 } }", says: /pass on failures alone/ },
  { text: "builtIn: { 'direct access is blocked': { consecutiveSuccessLimit: 2 } }", says: /never come/ },
  { text: 'soon: 1', says: /soon/ },
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
