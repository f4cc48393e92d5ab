import { request } from 'node:http'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('a helper in trouble lets nothing through', { seconds: 120 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
let lab: ProxyLab

before(async () => {
  lab = await makeProxyLab(14, { origins: ['203.0.113.10'], names: { '.test': ['203.0.113.10'] } })
  const policy = policyOf({}, { tenant: 'client-a', egress: { mode: 'enforce', allow: [{ domain: '.ok.test' }] } })
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: [{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'], policy }],
    inner: ['192.0.2.128/25'],
    nameservers: ['127.0.0.1'],
  })
  const want = { host: lab.host.address, tasks, handlers }
  await hostPlay.apply(want, { ssh }, (await hostPlay.read(want, { ssh }, quiet))!, quiet)
})
after(async () => {
  await ssh.close()
  await lab?.down()
})

let count = 0
/** The status of a request for a name that nobody asked for before, or what became of it. */
const ask = (zone: string): Promise<number | string> =>
  new Promise(resolve => {
    const name = `n${count++}.${zone}`
    const to = { host: lab.host.address.address, port: 3128, path: `http://${name}/`, headers: { host: name } }
    const asked = request({ ...to, agent: false }, it => {
      it.resume()
      it.on('end', () => resolve(it.statusCode ?? 0))
      it.on('error', error => resolve(error.message))
    })
    asked.setTimeout(60_000, () => asked.destroy(new Error('no answer')))
    asked.on('error', error => resolve(error.message))
    asked.end()
  })
const helper = () =>
  lab.host.sh('pgrep -o -x policy-helper || pgrep -o -f lib/kapsule-egress/policy-helper || :').trim()
const squid = () => lab.host.sh("pgrep -o -f '^\\(squid-1\\)' || :").trim()
const signal = (name: string) => lab.host.sh(`kill -${name} ${helper()}`)
const serves = () => until(async () => (await ask('ok.test')) === 200, 60)

test('one that hangs: requests wait, and are answered when it goes on', async () => {
  const was = squid()
  signal('STOP')
  const asked = Array.from({ length: 20 }, (_, n) => ask(n % 2 ? 'ok.test' : 'no.test'))
  const first = await Promise.race([...asked, new Promise(resolve => setTimeout(() => resolve('waits'), 1500))])
  assert.is(first, 'waits')
  signal('CONT')
  assert.equal(
    await Promise.all(asked),
    Array.from({ length: 20 }, (_, n) => (n % 2 ? 200 : 403)),
  )
  assert.is(squid(), was)
})

test('one that is killed with questions pending: they are refused, and the next are answered', async () => {
  const was = squid()
  signal('STOP')
  const asked = Array.from({ length: 20 }, (_, n) => ask(n % 2 ? 'ok.test' : 'no.test'))
  await new Promise(resolve => setTimeout(resolve, 500))
  signal('KILL')
  assert.equal(new Set(await Promise.all(asked)), new Set([403]))
  assert.match(lab.host.sh('tail -n 20 /var/log/squid/audit.log'), /"verdict":"denied","rule":"no-policy"/)
  assert.ok(await serves())
  assert.is(squid(), was)
})

test('killed again and again while it answers: Squid lives on', async () => {
  const was = squid()
  for (let n = 0; n < 3; n++) {
    assert.ok(await serves())
    signal('KILL')
    assert.is(await ask('no.test'), 403)
  }
  assert.ok(await serves())
  assert.is(squid(), was)
})

test('killed again and again before it ever answered: Squid ends itself, and its parent starts it', async () => {
  const was = squid()
  for (let n = 0; n < 4 && squid() === was; n++) {
    const pid = helper()
    if (pid) lab.host.sh(`kill -KILL ${pid} || :`)
    assert.ok(await until(() => squid() !== was || (helper() !== '' && helper() !== pid), 30))
  }
  assert.match(
    lab.host.sh('cat /var/log/squid/cache.log'),
    /FATAL: The external_acl_type helpers are crashing too rapidly/,
  )
  assert.ok(await serves(), 'it serves again')
  assert.is.not(squid(), was)
  assert.is(await ask('no.test'), 403)
})
