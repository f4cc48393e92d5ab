import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { exporterPorts, healthPort, monitoringTasks } from '../../src/hosts/monitoring.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { readProxyFacts } from '../../src/hosts/proxy-facts.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Policy, Rule } from '../../src/policy/policy.ts'
import { policyText } from '../../src/policy/policy-file.ts'
import { alertsOf } from '../../src/report/alerts.ts'
import { dashboardOf } from '../../src/report/dashboard.ts'
import { fetchDebs } from '../support/debs.ts'
import { metricsOf } from '../support/metrics.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('metrics and health of a real proxy', { seconds: 180 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
let lab: ProxyLab

const allow = (name: string, expires: string | null = null): Rule => ({
  ...{ id: `allow:${name}`, effect: 'allow', name, connect: [443], http: [80] },
  ...{ methods: null, expires, comment: null, requestedBy: null },
})
/** The last day of an entry. */
const soon = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)
const policy = (...rules: Rule[]): Policy => ({ tenant: 'client-a', mode: 'enforce', rules })

/** Debian's exporters; where they cannot be had, why, and everything else is tested all the same. */
const debs = fetchDebs('prometheus-node-exporter', 'prometheus-squid-exporter', 'daemon')
const exporters = typeof debs !== 'string'
if (typeof debs === 'string') console.log(`skipped, the exporters of Debian: ${debs}`)

const play = (wanted: Policy) => {
  const listen = lab.host.address.address
  const squid = squidTasks({
    hostName: 'proxy-1',
    tenants: [{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'], policy: wanted }],
    inner: ['192.0.2.128/25'],
    nameservers: ['127.0.0.1'],
  })
  const monitoring = monitoringTasks({ listen, ports: [3128], tenants: ['client-a'] })
  const tasks = [...squid.tasks, ...monitoring.tasks].filter(
    it => exporters || !((it.task === 'package' || it.task === 'service') && it.name.startsWith('prometheus-')),
  )
  return { host: lab.host.address, tasks, handlers: { ...squid.handlers, ...monitoring.handlers } }
}
const install = async (wanted: Policy) => {
  const want = play(wanted)
  const seen = (await hostPlay.read(want, { ssh }, quiet))!
  const now = await hostPlay.apply(want, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(want, now), null)
}

/** Asks from outside the host. */
const get = async (port: number, path: string, method = 'GET') => {
  const url = `http://${lab.host.address.address}:${port}${path}`
  const answer = await fetch(url, { method, signal: AbortSignal.timeout(10_000) })
  return { status: answer.status, text: await answer.text() }
}
const ask = (url: string) =>
  lab.host.sh(`curl -s -o /dev/null -m 10 -x http://$(hostname -I | cut -d' ' -f1):3128 ${url} || :`)
const metrics = () => lab.host.sh('cat /var/lib/prometheus/kapsule-egress/egress.prom 2>&1 || :')
const says = (line: string) => until(() => metrics().split('\n').includes(line), 30)

const send = (file: string, to: string) => {
  const { identity, address } = lab.host.address
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    `IdentityFile=${identity}`,
  ]
  const args = ['-F', 'none', ...options.flatMap(it => ['-o', it]), `root@${address}`, `cat >${to}`]
  execFileSync('ssh', args, { input: readFileSync(file), stdio: ['pipe', 'ignore', 'pipe'] })
}

before(async () => {
  lab = await makeProxyLab(10, { origins: ['203.0.113.10'], names: { '.ok.test': ['203.0.113.10'] } })
  if (typeof debs === 'string') lab.host.sh('adduser --quiet --system --group prometheus')
  else {
    for (const it of debs.files) send(join(debs.dir, it), `/srv/${it}`)
    lab.host.sh('dpkg -i /srv/*.deb >/dev/null 2>&1')
  }
  await install(policy(allow('.ok.test'), allow('soon.test', soon)))
})
after(async () => {
  await ssh.close()
  await lab?.down()
})

test('decisions are counted, refusals by what refused them', async () => {
  assert.ok(await says('egress_squid_up{port="3128"} 1'))
  assert.ok(await says('egress_policy_in_force{tenant="client-a"} 1'), metrics())
  for (let n = 0; n < 3; n++) ask('http://a.ok.test/')
  ask('http://other.test/')
  ask('http://a.ok.test:8080/')
  assert.ok(await says('egress_requests_total{tenant="client-a",verdict="allowed"} 3'), metrics())
  assert.ok(await says('egress_requests_total{tenant="client-a",verdict="denied"} 2'), metrics())
  assert.ok(await says('egress_denials_total{tenant="client-a",reason="not-listed"} 1'))
  assert.ok(await says('egress_denials_total{tenant="client-a",reason="port"} 1'))
  assert.ok(await says('egress_policy_rules{tenant="client-a"} 2'))
  assert.ok(await says('egress_policy_revision{tenant="client-a"} 1'))
  assert.match(metrics(), /egress_policy_info\{tenant="client-a",hash="[0-9a-f]{8}",mode="enforce"\} 1/)
  const end = /egress_rule_expiry_date_seconds\{tenant="client-a",rule="allow:soon.test"\} (\d+)/.exec(metrics())
  const days = (Number(end?.[1]) - Date.now() / 1000) / 86_400
  assert.ok(days > 10 && days <= 11, `${days}`)
})

test('nothing a client says makes a series', async () => {
  const before = metrics().match(/^egress_requests_total/gm)?.length
  ask(`'http://x","tenant":"evil","verdict":"allowed","rule":"y.test/'`)
  lab.host.sh(`printf '{"time":"-","tenant":"evil","verdict":"made-up","rule":"a\\nb"}\\n' >>/var/log/squid/audit.log`)
  assert.ok(await until(() => /^egress_audit_odd_lines_total [1-9]/m.test(metrics()), 60))
  assert.not.match(metrics(), /evil|made-up/)
  assert.ok(metrics().match(/^egress_requests_total/gm)!.length <= before! + 4)
})

test('a rotated log is counted on to its last line', async () => {
  const lines = () =>
    Number(/^egress_requests_total\{tenant="client-a",verdict="allowed"\} (\d+)/m.exec(metrics())?.[1])
  const was = lines()
  ask('http://a.ok.test/')
  lab.host.sh('mv /var/log/squid/audit.log /var/log/squid/audit.log.1; squid -k rotate')
  assert.ok(await until(() => lab.host.sh('ls /var/log/squid').split('\n').includes('audit.log'), 30))
  ask('http://a.ok.test/')
  assert.ok(await until(() => lines() === was + 2, 60), metrics())
})

test('a changed policy is told when it is in force', async () => {
  await install(policy(allow('.ok.test'), allow('soon.test', soon), allow('yet.test')))
  assert.ok(await says('egress_policy_revision{tenant="client-a"} 2'))
  assert.ok(await says('egress_policy_rules{tenant="client-a"} 3'))
  assert.ok(await says('egress_policy_in_force{tenant="client-a"} 1'))
})

test('a proxy says what it is made of, and what its decisions rest on', async () => {
  const facts = await readProxyFacts(ssh, lab.host.address)
  const wanted = policyText(policy(allow('.ok.test'), allow('soon.test', soon), allow('yet.test')))
  const sha256 = createHash('sha256').update(wanted).digest('hex')
  const revision = `2-${sha256.slice(0, 8)}`
  assert.equal(facts.policies, { 'client-a': { revision, inForce: revision, sha256 } })
  assert.is(facts.squidConf, lab.host.sh('sha256sum </etc/squid/squid.conf').split(' ')[0])
  assert.match(facts.squid, /^\d+\.\d+/)
  assert.match(facts.ufw, /^\d/)
  assert.is(facts.firewall, 'inactive')
  assert.match(facts.kernel, /^Linux \d/)
  assert.ok(facts.system.length > 3)
})

test('health answers who may ask, and only that', async () => {
  const { status, text } = await get(healthPort, '/health')
  assert.is(status, 200, text)
  assert.equal(JSON.parse(text), {
    status: 'ok',
    checks: { squid: 'ok', helper: 'ok', policies: 'ok', disk: 'ok' },
  })
  assert.is((await get(healthPort, '/metrics')).status, 404)
  assert.is((await get(healthPort, '/health', 'POST')).status, 405)
  assert.is((await get(healthPort, '/health', 'HEAD')).text, '')
  const open = lab.host.sh(`ss -Hltn 'sport = :${healthPort}'`)
  assert.match(open, new RegExp(`${lab.host.address.address}:${healthPort}`))
})

test('health of a proxy whose Squid has ended says so, and comes back with it', async () => {
  lab.host.sh('service squid stop')
  assert.ok(await until(async () => (await get(healthPort, '/health')).status === 503, 30))
  assert.match((await get(healthPort, '/health')).text, /"squid":"does not take connections"/)
  assert.ok(await says('egress_squid_up{port="3128"} 0'))
  assert.ok(await says('egress_helper_up 0'))
  lab.host.sh('service squid start')
  const well = await until(async () => (await get(healthPort, '/health')).status === 200, 60)
  assert.ok(well, `${(await get(healthPort, '/health')).text}\n${metrics()}`)
})

if (exporters) {
  test("Debian's exporters tell of the machine, of Squid, and of our watch", async () => {
    const node = await get(exporterPorts.node, '/metrics')
    assert.match(node.text, /^egress_requests_total\{tenant="client-a",verdict="allowed"\} [1-9]/m)
    assert.match(node.text, /^node_textfile_mtime_seconds/m)
    assert.match(node.text, /^node_memory_MemAvailable_bytes/m)
    const squid = await get(exporterPorts.squid, '/metrics')
    assert.match(squid.text, /^squid_up\{?.*\}? 1$/m)
    assert.match(squid.text, /^squid_client_http_requests_total/m)
    const told = new Set(`${node.text}\n${squid.text}`.match(/^[a-z]\w+/gm))
    const panels = dashboardOf('a').panels.flatMap(it => it.targets.map(({ expr }) => expr))
    const asked = metricsOf([...panels, ...alertsOf('a').map(it => it.expr)])
    const missing = [...asked].filter(it => !told.has(it))
    assert.equal(missing, [], 'all that alerts and panels ask for is told')
    for (const port of Object.values(exporterPorts))
      assert.match(lab.host.sh(`ss -Hltn 'sport = :${port}'`), new RegExp(`${lab.host.address.address}:${port}`))
    assert.is(lab.host.sh('ps -o user= -C prometheus-squid-exporter | sort -u').trim().slice(0, 7), 'prometh')
  })
}
