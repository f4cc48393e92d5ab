import * as assert from 'uvu/assert'
import { at, type Lab, makeLab } from '../support/lab/lab.ts'
import { suite } from '../support/suite.ts'
import { attackSet } from './all.ts'
import { honestOf, judgeAnswer, judgeLog, parseLines, verdictsOf } from './judge.ts'
import { attackedProxy } from './play.ts'
import { type Sent, sendAll, zoneOf } from './send.ts'

const { test, before, after } = suite('the attack set', { seconds: 180 })

let lab: Lab
let sent: Sent[]
let log: ReturnType<typeof parseLines>
let traffic: Awaited<ReturnType<Lab['traffic']>>

before(async () => {
  lab = await makeLab(28, zoneOf(attackSet))
  await lab.apply(attackedProxy())
  lab.forget()
  sent = await sendAll(lab, attackSet)
  log = parseLines(await lab.auditLines(sent.reduce((sum, it) => sum + verdictsOf(it).length, 0)))
  traffic = await lab.traffic()
})

after(() => lab?.down())

test('it has at least 300 cases, and each class its share', () => {
  assert.ok(attackSet.length >= 300, `${attackSet.length}`)
  assert.is(new Set(sent.map(it => it.from)).size, attackSet.length)
})

test('every answer is right', () => {
  assert.equal(
    sent.map(judgeAnswer).filter(it => it !== null),
    [],
  )
})

test('every line of the log is what the strict reader takes', () => {
  assert.equal(log.bad, [])
})

test('the log has one line a request, with its verdict', () => {
  const lines = Map.groupBy(log.good, it => it.client)
  const nameless = sent.filter(it => it.nameless)
  const theirs = [...(lines.get('::') ?? []), ...nameless.flatMap(it => lines.get(it.from) ?? [])]
  assert.equal(
    theirs.map(it => [it.verdict, it.rule]),
    nameless.map(() => ['denied', 'malformed']),
  )
  lines.delete('::')
  assert.equal(
    sent
      .filter(it => !it.nameless)
      .map(it => judgeLog(it, lines.get(it.from) ?? []))
      .filter(it => it !== null),
    [],
  )
  assert.is([...lines.keys()].filter(it => !sent.some(({ from }) => from === it)).length, 0)
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
  const listed =
    /(^|\.)(allowed|tricks|exact|ports|tunnel|read|xn--bcher-kva)\.test$|^(inside|metadata|gone)\.evil\.test$/
  assert.equal(
    Object.keys(traffic.asked).filter(it => !listed.test(it)),
    [],
  )
})

test('nothing of the inside is told, in answers or in requests', () => {
  const { visits } = traffic
  const inside = new RegExp(`proxy-1|${lab.host.netns}|squid\\/\\d|x-cache|cache-status|^via:`, 'im')
  const telling = (text: string) => inside.exec(text)?.[0]
  const answers = sent.filter(it => ![it.raw].flat().join('').includes('proxy-1'))
  assert.equal([...new Set(answers.flatMap(it => telling(it.text) ?? []))], [])
  assert.ok(
    sent.some(it => /egress-proxy/.test(it.text)),
    'errors have been seen',
  )
  const ours = /^(via|forwarded|x-forwarded-for|x-real-ip|proxy-[a-z-]+|x-client-ip):/im
  assert.equal([...new Set(visits.flatMap(it => ours.exec(it.text)?.[0] ?? []))], [])
  const named = visits.flatMap(({ text }) => {
    const [, n] = /case-(\d+)-/.exec(text) ?? []
    return n && text.includes(sent[Number(n)]!.from) ? [text] : []
  })
  assert.equal(named, [], 'no origin is told which pod asked')
})
