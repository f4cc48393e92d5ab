import * as assert from 'uvu/assert'
import { at, type Lab, makeLab } from '../support/lab/lab.ts'
import { suite } from '../support/suite.ts'
import { attackSet } from './all.ts'
import { honestOf, judgeAnswer, verdictsOf } from './judge.ts'
import { attackedProxy } from './play.ts'
import { type Sent, sendAll, zoneOf } from './send.ts'

const { test, before, after } = suite('the attack set', { seconds: 180 })

let lab: Lab
let sent: Sent[]
let traffic: Awaited<ReturnType<Lab['traffic']>>

before(async () => {
  lab = await makeLab(28, zoneOf(attackSet))
  await lab.apply(attackedProxy())
  lab.forget()
  sent = await sendAll(lab, attackSet)
  await lab.auditLines(attackSet.length)
  traffic = await lab.traffic()
})

after(() => lab?.down())

test('it has at least 300 cases, and each class its share', () => {
  assert.ok(attackSet.length >= 300, `${attackSet.length}`)
})

test('every answer is right', () => {
  assert.equal(
    sent.map(judgeAnswer).filter(it => it !== null),
    [],
  )
})

test('nothing left the proxy but for honest servers', () => {
  const honest = honestOf(sent)
  for (const port of [80, 443]) if (honest.has(`${at.web} tcp ${port}`)) honest.add(`${at.web6} tcp ${port}`)
  honest.add(`${at.dns} udp 53`).add(`${at.dns} tcp 53`)
  const { seen } = traffic
  assert.ok(honest.size > 20, `${honest.size} honest destinations`)
  assert.equal(
    seen.filter(it => !honest.has(it)),
    [],
  )
})

test('no listener has read a byte of a refused request', () => {
  const { visits } = traffic
  assert.ok(visits.length > 50, `${visits.length} visits`)
  const marks = visits.flatMap(it => [...it.text.matchAll(/(case|refused)-(\d+)-/g)])
  const wrong = marks.filter(([, word, n]) => word === 'refused' || !verdictsOf(sent[Number(n)]!).includes('allowed'))
  assert.equal([...new Set(wrong.map(([mark, , n]) => `${mark} ${sent[Number(n)]!.destination}`))], [])
})

test('no name is asked for that is not on the list', () => {
  const listed = /(^|\.)(allowed|tricks|exact|ports|xn--bcher-kva)\.test$|^(inside|metadata|gone)\.evil\.test$/
  assert.equal(
    Object.keys(traffic.asked).filter(it => !listed.test(it) && !it.endsWith('.in-addr.arpa')),
    [],
  )
})
