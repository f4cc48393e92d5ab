import { request } from 'node:http'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import type { SquidTenant } from '../../src/hosts/squid-conf.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { openTunnel } from '../support/proxy-load.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('limits of tenants on a real proxy', { seconds: 120 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
let lab: ProxyLab

const tenant = (name: string, port: number, limits?: SquidTenant['limits']): SquidTenant => ({
  ...{ name, port, clients: ['192.0.2.128/25'], limits },
  policy: policyOf({}, { tenant: name, egress: { mode: 'enforce', allow: [{ domain: '.ok.test' }] } }),
})
const ports = { few: 3128, slow: 3129, short: 3130, free: 3131 }
const all = [
  tenant('few', ports.few, { connections: 3 }),
  tenant('slow', ports.slow, { bandwidth: '1MB/s' }),
  tenant('short', ports.short, { tunnelLifetime: '4s' }),
  tenant('free', ports.free),
]
const playOf = (tenants: SquidTenant[]) => {
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants,
    inner: ['192.0.2.128/25'],
    nameservers: ['127.0.0.1'],
  })
  return { host: lab.host.address, tasks, handlers }
}
const install = async (tenants: SquidTenant[]) => {
  const want = playOf(tenants)
  const seen = (await hostPlay.read(want, { ssh }, quiet))!
  const now = await hostPlay.apply(want, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(want, now), null)
  return { want, seen, now }
}
const drift = async (tenants: SquidTenant[]) => {
  const want = playOf(tenants)
  return hostPlay.diff(want, (await hostPlay.read(want, { ssh }, quiet))!)?.details?.map(it => it.name) ?? []
}
const proxy = (port: number) => ({ host: lab.host.address.address, port })
const tunnel = (port: number) => openTunnel(proxy(port), 'a.ok.test:443')
const script = '/usr/local/lib/kapsule-egress/client-limits'

before(async () => {
  lab = await makeProxyLab(12, { origins: ['203.0.113.10'], names: { '.ok.test': ['203.0.113.10'] } })
  await install(all)
})
after(async () => {
  await ssh.close()
  await lab?.down()
})

test('a client has so many connections open, and the next is refused as `connections`', async () => {
  const open = await Promise.all([1, 2, 3].map(() => tunnel(ports.few)))
  const refused = await tunnel(ports.few)
  assert.match(String(await refused.say('anything\n')), /closed/)
  for (const it of open) assert.is(await it.say('still here\n'), true)
  const rules = () =>
    lab.host
      .sh('cat /var/log/squid/audit.log')
      .trim()
      .split('\n')
      .map(it => parseAuditLine(it)!.rule)
  assert.ok(await until(() => rules().includes('connections'), 10), rules().join())
  for (const it of open) it.close()
  // Squid has to notice that they are gone.
  assert.ok(
    await until(async () => {
      const it = await tunnel(ports.few)
      const answered = await it.say('again\n')
      it.close()
      return answered === true
    }, 10),
  )
})

/** Seconds in which so many bytes went there and came back. */
const echoed = async (port: number, bytes: number): Promise<number> => {
  const it = await tunnel(port)
  const began = Date.now()
  assert.is(await it.say(`${'x'.repeat(bytes - 6)}the end`), true)
  it.close()
  return (Date.now() - began) / 1000
}

test('a bandwidth holds for tunnels, and for nobody else', async () => {
  const [slow, free] = [await echoed(ports.slow, 5e6), await echoed(ports.free, 5e6)]
  // The first second's worth is there at once.
  assert.ok(slow > 3, `5 MB at 1 MB/s took ${slow} s`)
  assert.ok(free < slow / 2, `5 MB without a limit took ${free} s`)
})

const posted = (port: number, bytes: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = Date.now()
    const headers = { host: 'a.ok.test', 'content-length': bytes }
    const asked = request({ ...proxy(port), method: 'POST', path: 'http://a.ok.test/', headers, agent: false }, it => {
      it.resume()
      it.on('end', () => (it.statusCode === 200 ? resolve((Date.now() - began) / 1000) : reject(it.statusCode)))
    })
    asked.on('error', reject)
    asked.end('x'.repeat(bytes))
  })

test('a bandwidth holds for what is only sent', async () => {
  const [slow, free] = [await posted(ports.slow, 5e6), await posted(ports.free, 5e6)]
  assert.ok(slow > 2.5, `5 MB at 1 MB/s took ${slow} s`)
  assert.ok(free < slow / 2, `5 MB without a limit took ${free} s`)
})

test('a tunnel that is in use is cut after its lifetime, others are not', async () => {
  const [short, free] = [await tunnel(ports.short), await tunnel(ports.free)]
  const began = Date.now()
  let said: true | string = true
  while (said === true && Date.now() - began < 20_000) {
    said = await short.say('word\n')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const lived = (Date.now() - began) / 1000
  assert.ok(said !== true && lived >= 3.5 && lived < 10, `${said} after ${lived} s`)
  assert.is(await free.say('word\n'), true)
  free.close()
  const next = await tunnel(ports.short)
  assert.is(await next.say('a new one\n'), true)
  next.close()
})

test('rules that somebody flushed are drift, and come back', async () => {
  assert.equal(await drift(all), [])
  lab.host.sh('nft flush chain inet kapsule_egress_limits of_short')
  assert.equal(await drift(all), ['command limits of clients'])
  await install(all)
  lab.host.sh('nft delete table inet kapsule_egress_limits')
  assert.equal(await drift(all), ['command limits of clients'])
  await install(all)
  lab.host.sh(`${script} --check`)
})

test('without limits nothing of them is left, and undo brings them back', async () => {
  const none = all.map(it => ({ ...it, limits: undefined }))
  const { want, seen, now } = await install(none)
  assert.not.match(lab.host.sh('nft list tables'), /kapsule_egress_limits/)
  assert.not.match(lab.host.sh('cat /etc/squid/squid.conf'), /delay_|maxconn/)
  await hostPlay.undo!(want, { ssh }, seen, now, quiet)
  assert.equal(await drift(all), [])
})
