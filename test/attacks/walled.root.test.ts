import * as assert from 'uvu/assert'
import { ufwTask } from '../../src/hosts/squid.ts'
import { at, type Lab, makeLab } from '../support/lab/lab.ts'
import { suite } from '../support/suite.ts'
import { clients } from './clients.ts'
import { honest } from './honest.ts'
import { honestOf, judgeAnswer } from './judge.ts'
import { attackedProxy } from './play.ts'
import { sendAll, zoneOf } from './send.ts'

const { test, before, after } = suite('Squid behind walls that keep its user in', { seconds: 120 })
const set = [...honest, ...clients]
const walls = ufwTask({
  ssh: { allow: ['192.0.2.128/25'], port: 22 },
  proxy: { from: ['172.16.28.0/22', '172.16.32.0/22', `${at.strangers}.0/24`], ports: [3128] },
  outgoing: { nameservers: [at.dns], inner: [`${at.proxyOutside}/32`] },
})
const { tasks, handlers } = attackedProxy()
const play = { tasks: [walls, ...tasks], handlers }
let lab: Lab

before(async () => {
  lab = await makeLab(30, zoneOf(set))
  await lab.apply(play)
  lab.forget()
})

after(() => lab?.down())

test('it starts, asks its helper, and does what it should', async () => {
  const sent = await sendAll(lab, set)
  assert.equal(
    sent.map(judgeAnswer).filter(it => it !== null),
    [],
  )
  assert.ok(honestOf(sent).size > 3)
})

test('it goes on after it has read its configuration again', async () => {
  // As after a run that was cut before it could.
  lab.host.sh("echo 'reload squid' >>/var/lib/kapsule-egress/pending")
  await lab.apply(play)
  assert.match(lab.host.sh('cat /var/log/squid/cache.log'), /Reconfiguring/)
  const sent = await sendAll(lab, set)
  assert.equal(
    sent.map(judgeAnswer).filter(it => it !== null),
    [],
  )
})
