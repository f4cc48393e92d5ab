import { execFileSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { openTunnel } from '../support/proxy-load.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite("a proxy's own addresses, on a real host", { seconds: 120 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const origin = '203.0.113.10'
// The host has the first from the beginning, and later the second and the third; behind the fourth it is known.
const own = { link: '192.0.2.182', more: '198.51.100.9', six: '2001:db8:5::9', known: '198.51.100.77' }
let lab: ProxyLab

const ports = [443, 22]
const play = () => {
  const policy = policyOf(
    {},
    { tenant: 'client-a', egress: { mode: 'report', allow: [{ domain: '.ok.test', ports }] } },
  )
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: [{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'], policy }],
    inner: [],
    own: [own.known],
    nameservers: ['127.0.0.1'],
  })
  return { host: lab.host.address, tasks, handlers }
}
const look = async () => hostPlay.diff(play(), (await hostPlay.read(play(), { ssh }, quiet))!)
const install = async () => {
  const before = (await hostPlay.read(play(), { ssh }, quiet))!
  const now = await hostPlay.apply(play(), { ssh }, before, quiet)
  assert.is(hostPlay.diff(play(), now), null)
  return { before, now }
}
const lines = () =>
  lab.host
    .sh('cat /var/log/squid/audit.log || :')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(it => parseAuditLine(it))
/** What the log says of a tunnel to this port of the name. */
const asked = async (name: string, port = 22): Promise<string> => {
  const had = lines().length
  const it = await openTunnel({ host: lab.host.address.address, port: 3128 }, `${name}:${port}`)
  it.close()
  assert.ok(await until(() => lines().length > had, 20))
  const { verdict, rule } = lines().at(-1)!
  return `${verdict} ${rule}`
}

before(async () => {
  const names = { 'far.ok.test': [origin] }
  const near = Object.entries(own).map(([name, it]) => [`${name}.ok.test`, [it]])
  lab = await makeProxyLab(13, { origins: [origin], names: { ...names, ...Object.fromEntries(near) } })
  assert.is(lab.host.address.address, own.link)
  await install()
})
after(async () => {
  await ssh.close()
  await lab?.down()
})

test('an allowed name that leads to the proxy itself is refused as inner, in report mode too', async () => {
  assert.is(await asked('far.ok.test', 443), 'allowed allow:.ok.test')
  for (const it of ['link', 'known']) assert.is(await asked(`${it}.ok.test`), 'denied inner', it)
})

test('an address that the host got later is drift, and then refused', async () => {
  assert.is(await look(), null)
  execFileSync('ip', ['-n', lab.netns, 'addr', 'add', `${own.more}/32`, 'dev', 'eth0'])
  execFileSync('ip', ['-n', lab.netns, 'addr', 'add', `${own.six}/128`, 'dev', 'eth0', 'nodad'])
  assert.equal(
    (await look())?.details?.map(it => it.name),
    ['command own addresses', 'handler reload squid'],
  )
  await install()
  for (const it of ['more', 'six']) assert.is(await asked(`${it}.ok.test`), 'denied inner', it)
  execFileSync('ip', ['-n', lab.netns, 'addr', 'del', `${own.more}/32`, 'dev', 'eth0'])
  assert.equal(
    (await look())?.details?.map(it => it.name),
    ['command own addresses', 'handler reload squid'],
  )
})
