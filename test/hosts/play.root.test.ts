import * as assert from 'uvu/assert'
import type { Change } from '../../src/engine/kind.ts'
import { createAuditLog } from '../../src/hosts/audit-log.ts'
import type { Seen } from '../../src/hosts/exchange.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { squidTasks, ufwTask } from '../../src/hosts/squid.ts'
import { auditLog } from '../../src/hosts/squid-conf.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { policyOf } from '../../src/policy/entries.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, heardBy, problem } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('a play on a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
const parts: string[] = []
const report = heardBy(parts)
let host: TestHost
let want: HostPlay
let pristine: Seen

before(async () => {
  host = await makeHost(1)
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: [
      {
        name: 'client-a',
        port: 3128,
        clients: ['192.0.2.128/25'],
        policy: policyOf({}, { tenant: 'client-a', egress: { mode: 'enforce', allow: [{ domain: '.allowed.test' }] } }),
      },
      {
        name: 'client-b',
        port: 3129,
        clients: ['192.0.2.128/25'],
        policy: policyOf({}, { tenant: 'client-b', egress: { mode: 'report', allow: [] } }),
      },
    ],
    inner: [],
    // Nobody answers there: names fail at once instead of leaving this machine.
    nameservers: ['127.0.0.1'],
  })
  want = {
    host: host.address,
    tasks: [...tasks, { task: 'package', name: 'ufw' }, firewall('192.0.2.128/25')],
    handlers,
  }
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const firewall = (from: string, confirmSeconds = 60) =>
  ufwTask({
    ssh: { allow: [from, 'fd00:1::/64'], port: 22 },
    proxy: { from: [from], ports: [3128, 3129] },
    confirmSeconds,
  })

const look = async (it = want) => (await hostPlay.read(it, { ssh }, report))!
const differs = async (it = want): Promise<Change | null> => hostPlay.diff(it, await look(it))
const names = (change: Change | null) => change?.details?.map(it => it.name)
/** What squid at `port` answers to this machine, as a status code. */
const ask = async (url: string, port: number): Promise<number> => {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    request({ host: host.address.address, port, path: url, method: 'GET' }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

const reloads = () => Number(host.sh("grep -c 'Reconfiguring Squid' /var/log/squid/cache.log || true"))

test('a first run makes everything, and a second finds nothing to do', async () => {
  pristine = await look()
  assert.ok(names(hostPlay.diff(want, pristine))?.includes('/etc/squid/squid.conf'))
  const now = await hostPlay.apply(want, { ssh }, pristine, report)
  assert.is(hostPlay.diff(want, now), null)
  assert.is(await differs(), null)
  assert.ok(
    parts.some(it => it.includes('a new login confirmed firewall (ufw)')),
    parts.join('\n'),
  )
  assert.is(host.sh('squid -k check && echo runs').trim(), 'runs')
  // It was started with the files in place.
  assert.is(reloads(), 0)
  assert.match(host.sh('ufw status'), /Status: active/)
  assert.match(host.sh('iptables -S ufw-user-input'), /-s 192\.0\.2\.128\/25 -p tcp -m tcp --dport 3128 -j ACCEPT/)
  assert.match(host.sh('ip6tables -S ufw6-user-input'), /-s fd00:1::\/64 -p tcp -m tcp --dport 22 -j ACCEPT/)
})

test('the proxy refuses by name, by address, and lets through what is allowed', async () => {
  assert.is(await ask('http://refused.test/', 3128), 403)
  assert.is(await ask('http://169.254.169.254/', 3129), 403)
  // Approved by name, but it leads nowhere, and nobody knows where that is.
  assert.is(await ask('http://api.allowed.test/', 3128), 403)
  assert.is(await ask('http://refused.test/', 3129), 403)
})

test('requests are in the audit log, as JSON with tenant and verdict', async () => {
  const log = createAuditLog(ssh)
  const found = async (needle: string) =>
    (await log.find(host.address, { log: auditLog, needle, withinSeconds: 30 })).map(it => JSON.parse(it))
  // Written when squid is done with a request, which may be after its answer.
  assert.ok(await until(async () => (await found('refused.test')).length === 2, 30))
  const refused = await found('refused.test')
  assert.equal(
    refused.map(it => `${it.client} ${it.tenant} ${it.verdict} ${it.rule} ${it.squid} ${it.status}`),
    ['192.0.2.133 client-a denied not-listed TCP_DENIED 403', '192.0.2.133 client-b denied unresolved TCP_DENIED 403'],
  )
  const [allowed] = await found('api.allowed.test')
  assert.is(`${allowed.tenant} ${allowed.rule}`, 'client-a unresolved')
  assert.match(allowed.revision, /^1-[0-9a-f]{8}$/)
  assert.equal(await log.find(host.address, { log: auditLog, needle: 'never', withinSeconds: 0 }), [])
})

test('a hand edit is named, shown and mended, without a restart', async () => {
  const pid = host.sh('cat /run/squid.pid')
  host.sh(
    "echo 'http_access allow all' >>/etc/squid/squid.conf; chmod 666 /etc/squid/squid.conf; sed -i s/allowed/other/ $(readlink -f /etc/squid/egress/client-a.policy)",
  )
  const change = await differs()
  assert.equal(names(change), ['policy of client-a', '/etc/squid/squid.conf', 'handler reload squid'])
  assert.match(
    change?.details?.[0]?.diff ?? '',
    /edited on the host\n- allow \.other\.test, .*\n\+ allow \.allowed\.test, CONNECT 443, HTTP 80$/,
  )
  assert.match(change?.details?.[1]?.diff ?? '', /^-http_access allow all$/m)
  assert.match(change?.details?.[1]?.diff ?? '', /^mode: 0666 -> 0644$/m)
  await hostPlay.apply(want, { ssh }, await look(), report)
  assert.is(await differs(), null)
  assert.is(host.sh('cat /run/squid.pid'), pid)
  assert.not.match(host.sh('nft list tables'), /kapsule_egress_hold/)
  assert.is(reloads(), 1)
})

test('a changed file is in force when the run is over, not some time after', async () => {
  const open = 'acl open dstdomain refused.test\nhttp_access allow open\n'
  for (const [rule, status] of [
    [open, /^50[23]$/],
    ['', /^403$/],
  ] as const) {
    const other = withFile('/etc/squid/squid.conf', it => it.replace(/^http_access/m, `${rule}http_access`))
    await hostPlay.apply(other, { ssh }, await look(other), report)
    assert.match(String(await ask('http://refused.test/', 3128)), status)
  }
  assert.is(reloads(), 3)
})

const withFile = (path: string, content: (it: string) => string): HostPlay => ({
  ...want,
  tasks: want.tasks.map(it => (it.task === 'file' && it.path === path ? { ...it, content: content(it.content) } : it)),
})

for (const { when, line } of [
  { when: 'squid refuses', line: 'http_acces allow all' },
  { when: 'squid ignores with exit 0', line: 'http_access alow all' },
  { when: 'would open the proxy to everybody', line: 'acl all src 0.0.0.0/0' },
])
  test(`a template that ${when} never replaces the file in force`, async () => {
    const was = await look()
    const bad = withFile('/etc/squid/squid.conf', it => `${it}${line}\n`)
    bad.tasks = bad.tasks.map(it =>
      it.task === 'policy' && it.tenant === 'client-a' ? { ...it, text: it.text.replace('enforce', 'report') } : it,
    )
    const { message, why } = await problem(hostPlay.apply(bad, { ssh }, was, report))
    assert.match(message, /squid\.conf failed; the host is as it was before/)
    assert.match(why, /ERROR|FATAL|expecting|unrecognized/)
    assert.equal(await look(), was)
    assert.is(await ask('http://refused.test/', 3128), 403)
  })

test('what parses but cannot run is taken back, and squid runs on', async () => {
  const was = await look()
  const bad = withFile('/etc/squid/squid.conf', it =>
    it.replace('stdio:/var/log/squid/audit.log', 'stdio:/nowhere/audit.log'),
  )
  const { message } = await problem(hostPlay.apply(bad, { ssh }, was, report))
  assert.match(message, /handler reload squid failed; the host is as it was before/)
  assert.equal(await look(), was)
  assert.is(await ask('http://refused.test/', 3128), 403)
})

test('firewall drift is found in the rules and in the kernel, and others keep their rules', async () => {
  host.sh("ufw allow proto tcp from 198.51.100.1 to any port 9 comment 'of another team'")
  assert.is(await differs(), null)
  host.sh('ufw delete allow proto tcp from 192.0.2.128/25 to any port 3129')
  assert.match((await differs())?.details?.[0]?.diff ?? '', /^\+ v4 allow tcp 3129 192\.0\.2\.128\/25/)
  host.sh('iptables -A ufw-user-input -p tcp -m tcp --dport 3128 -j ACCEPT')
  assert.match((await differs())?.details?.[0]?.diff ?? '', /^! v4 allow tcp 3128 any: in the kernel only$/m)
  await hostPlay.apply(want, { ssh }, await look(), report)
  assert.is(await differs(), null)
  assert.match(host.sh('ufw status'), /of another team/)
})

test('a firewall that locks us out takes itself back, with everything else of that run', async () => {
  const was = await look()
  const extra = file('/etc/before-lockout', 'x')
  const locked = {
    ...want,
    tasks: [...want.tasks.filter(it => it.task !== 'ufw'), extra, firewall('198.51.100.0/24', 4)],
  }
  const { message, why } = await problem(hostPlay.apply(locked, { ssh }, await look(locked), report))
  assert.match(message, /firewall \(ufw\) failed; the host is as it was before/)
  assert.match(why, /no new login/)
  const { stdout } = await ssh.fresh(host.address, { command: 'echo in' })
  assert.is(stdout.trim(), 'in')
  assert.equal(await look(), was)
  assert.is(host.sh('ls /etc/before-lockout 2>/dev/null || echo gone').trim(), 'gone')
})

test('a handler that an interrupted run owes is run by the next', async () => {
  host.sh("echo 'reload squid' >>/var/lib/kapsule-egress/pending")
  assert.equal(names(await differs()), ['handler reload squid'])
  await hostPlay.apply(want, { ssh }, await look(), report)
  assert.is(await differs(), null)
})

test('undo gives back the exact bytes, rules and services; twice does no harm', async () => {
  const now = await look()
  host.sh('ufw delete allow proto tcp from 198.51.100.1 to any port 9')
  for (const _ of [1, 2]) {
    await hostPlay.undo!(want, { ssh }, pristine, now, report)
    assert.equal(await look(), pristine)
  }
  assert.is(host.sh('squid -k check 2>/dev/null || echo down').trim(), 'down')
  assert.match(host.sh('ufw status'), /Status: inactive/)
})
