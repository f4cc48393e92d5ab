import { execFileSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { innerRange } from '../../src/policy/inner.ts'
import { verbs } from '../../src/policy/policy.ts'
import { at, type Lab, makeLab } from '../support/lab/lab.ts'
import { suite } from '../support/suite.ts'
import { attackSet } from './all.ts'
import { attacks, resolving } from './attack.ts'
import { honest } from './honest.ts'
import { judgeAnswer, judgeLog, parseLines, verdictsOf } from './judge.ts'
import { attackedProxy, neighbours } from './play.ts'
import { type Sent, sendAll, zoneOf } from './send.ts'

const { test, before, after } = suite('the attack set on a shared proxy', { seconds: 240 })
const { a, b } = neighbours

/** A tenant's own address is inside as well, to it and to the other. */
const own = [
  ...attackSet.filter(it => !it.stranger),
  ...attacks('its other addresses', resolving('own-b', { a: [b.outgoing] }, "a listed name for the other's address")),
]
const set = [...own, ...attackSet.filter(it => it.stranger)]

let lab: Lab
let sent: { a: Sent[]; b: Sent[]; astray: Sent[] }
let lines: Map<string, ReturnType<typeof parseLines>['good']>
let traffic: Awaited<ReturnType<Lab['traffic']>>

before(async () => {
  lab = await makeLab(31, zoneOf(set))
  for (const words of [
    ['-n', lab.names.proxy, 'addr', 'add', `${b.outgoing}/32`, 'dev', 'eth1'],
    ['-n', lab.names.outside, 'route', 'add', `${b.outgoing}/32`, 'dev', 'eth0'],
  ])
    execFileSync('ip', words)
  await lab.apply(attackedProxy(true))
  lab.forget()
  sent = {
    a: await sendAll(lab, set, { ...a, mark: 'of-a' }),
    b: await sendAll(lab, own, { ...b, mark: 'of-b' }),
    // From another pod of the one to the port of the other, whose policy would let it through.
    astray: await sendAll(lab, honest, { port: b.port, pods: at.pods.slice(6), mark: 'astray' }),
  }
  const count = [...sent.a, ...sent.b, ...sent.astray].reduce((sum, it) => sum + verdictsOf(it).length, 0)
  const { good, bad } = parseLines(await lab.auditLines(count))
  assert.equal(bad, [])
  lines = Map.groupBy(good, it => it.client)
  traffic = await lab.traffic()
})

after(() => lab?.down())

test('beside a tenant that only reports, one that enforces has every answer and line as when alone', () => {
  assert.equal(
    sent.a
      .filter(it => !it.nameless)
      .filter(it => !it.nameless)
      .flatMap(it => [judgeAnswer(it) ?? [], judgeLog(it, lines.get(it.from) ?? []) ?? []].flat()),
    [],
  )
})

test('each request came from an address of its own', () => {
  const from = Object.values(sent).flatMap(all => all.map(it => it.from))
  assert.is(new Set(from).size, from.length)
})

test('a port takes its own tenant alone', () => {
  for (const it of sent.astray) {
    const mine = lines.get(it.from) ?? []
    assert.equal(new Set(mine.map(line => line.rule)), new Set(['client']), it.destination)
    assert.not.match(it.text, /\nreached /)
  }
})

/** What no policy decides: in report mode it is refused all the same. */
const structural = new Set(['manager', 'client', 'scheme', 'authority', 'inner', 'unresolved', 'malformed'])

test('in report mode whatever no policy decides is refused as ever, and the rest is told as would_deny', () => {
  const wrong = sent.b.flatMap((it, n) => {
    const [enforced, reported] = [sent.a[n]!, it].map(one => lines.get(one.from) ?? [])
    const fixed = (line: (typeof enforced & object)[number]) =>
      line.verdict === 'denied' &&
      (structural.has(line.rule) || (line.rule === 'method' && !['CONNECT', ...verbs].includes(line.method)))
    const asEver = enforced!.every(fixed)
    const also = reported!.every(fixed)
    const reached = it.text.includes('\nreached ')
    const told = `${it.class}: ${it.method} ${it.destination.slice(0, 80)} (${it.reason}): ${reported!.map(line => `${line.verdict} ${line.rule}`)}`
    // What came behind a tunnel that is let through is no request of its own.
    const tunnel = reported!.length === 1 && reported![0]!.verdict === 'would_deny' && it.method === 'CONNECT'
    if (enforced!.length !== reported!.length && !tunnel) return [`${told}: ${enforced!.length} lines when enforced`]
    if (enforced!.length > 0 && asEver) return also && !reached ? [] : [told]
    // Policy: let through as would_deny, unless where it leads is refused.
    return reported!.every(line => ['allowed', 'would_deny'].includes(line.verdict ?? '') || fixed(line)) ? [] : [told]
  })
  assert.equal(wrong, [])
  const words = sent.b.flatMap(it => (lines.get(it.from) ?? []).map(line => line.verdict))
  assert.ok(words.filter(it => it === 'would_deny').length > 50, 'it did report')
  assert.ok(words.filter(it => it === 'denied').length > 300)
})

test('nothing went inside, from either of them', () => {
  const ours = ['172.16.28.0/22', '100.64.0.0/15', '10.32.0.0/12', `${at.proxyOutside}/32`, `${b.outgoing}/32`]
  const addresses = traffic.seen.map(it => it.split(' ')[0]!)
  assert.ok(addresses.length > 30)
  assert.equal(
    addresses.filter(it => innerRange(it, ours)),
    [],
  )
})

test('each leaves with its own address, and never with the other', () => {
  const v4 = traffic.visits.filter(it => !it.address.includes(':'))
  for (const [mark, own] of [
    ['of-a', a.outgoing],
    ['of-b', b.outgoing],
  ] as const) {
    const mine = v4.filter(it => it.text.includes(`${mark}-`))
    assert.ok(mine.length > 20, `${mine.length} visits ${mark}`)
    assert.equal(new Set(mine.map(it => it.from)), new Set([own]))
  }
})
