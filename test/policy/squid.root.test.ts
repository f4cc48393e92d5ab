import { connect } from 'node:net'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { decide } from '../../src/policy/decide.ts'
import { readEntries } from '../../src/policy/entries.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { type Case, cases } from './cases.ts'

const { test, before, after } = suite('what explains and what decides say the same', { seconds: 160 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const origin = '203.0.113.10'
// A tenant has a port of its own for each policy, so that no answer is remembered from another.
const firstPort = 4000
const all = cases({ policies: 40, each: 50 })
const policies = [...Map.groupBy(all, it => it.policy).values()].map(([it], n) => {
  const { lists, shared, mode } = it!
  return readEntries(shared, { tenant: `t${n}`, egress: { ...lists, mode } }).policy
})
let lab: ProxyLab

before(async () => {
  lab = await makeProxyLab(31, {
    origins: [origin, '203.0.113.9', '203.0.113.8', '198.51.100.7', '188.51.100.7', '2001:db8::1'],
    names: { '.#': [origin] },
  })
  const clients = ['192.0.2.128/25']
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: policies.map((policy, n) => ({ name: policy.tenant, port: firstPort + n, clients, policy })),
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

const bytesOf = ({ n, request: { method, protocol, host: bare, port } }: Case): string => {
  const host = bare.includes(':') ? `[${bare}]` : bare
  const target = protocol === 'connect' ? `${host}:${port}` : `http://${host}:${port}/`
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}:${port}\r\nUser-Agent: case-${n}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
}

/** Says it to the tenant's port and ends with the first line that comes back. */
const say = (it: Case): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: lab.host.address.address, port: firstPort + it.policy })
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to case ${it.n}`)))
    socket.on('error', reject)
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
    socket.write(bytesOf(it))
  })

test(`${all.length} requests: verdict and rule in the audit log are those of decide()`, async () => {
  const queue = [...all]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await say(next)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  const log = () => lab.host.sh('cat /var/log/squid/audit.log').trim().split('\n')
  assert.ok(await until(() => log().length >= all.length, 60), `${log().length} lines`)
  const lines = log().map(it => parseAuditLine(it))
  assert.is(lines.filter(it => it === null).length, 0)
  assert.is(lines.length, all.length)
  const said = new Map(lines.map(it => [it!.agent, `${it!.tenant} ${it!.verdict} ${it!.rule}`]))
  const differ = all.flatMap(it => {
    const { request, policy } = it
    const literal = /^[\d.]+$|:/.test(request.host)
    const { verdict, rule } = decide(policies[policy]!, { ...request, ...(!literal && { resolved: [origin] }) })
    const now = said.get(`case-${it.n}`)
    const expected = `t${policy} ${verdict} ${rule}`
    return now === expected ? [] : [`${bytesOf(it).split('\r\n')[0]} (case ${it.n}): ${now}, not ${expected}`]
  })
  assert.equal(differ, [])
  for (const word of [' allowed ', ' denied deny:', ' denied port', ' denied not-listed', ' would_deny '])
    assert.ok([...said.values()].filter(it => it.includes(word)).length >= 10, `hardly any case is${word}`)
})
