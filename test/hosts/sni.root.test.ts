import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import type { SquidTenant } from '../../src/hosts/squid-conf.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import type { Rule } from '../../src/policy/policy.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { offerSquidOpenssl } from '../support/squid-openssl.ts'
import { suite } from '../support/suite.ts'
import { openTunnel, talk } from '../support/tunnel.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('the name inside TLS, on a real Squid', { seconds: 120 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const directory = mkdtempSync(join(tmpdir(), 'egress-sni-'))
let lab: ProxyLab
let origin: ChildProcess
let connections = 0
const proxy = { host: '', port: 3128 }
const pem = join(directory, 'origin.pem')

const allow = (name: string, effect: Rule['effect'] = 'allow'): Rule => ({
  ...{ id: `${effect}:${name}`, effect, name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
})
const clientA = (more: Partial<SquidTenant> = {}): SquidTenant => ({
  ...{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'] },
  policy: { tenant: 'client-a', mode: 'enforce', rules: [allow('.ok.test'), allow('203.0.113.11')] },
  ...more,
})
const playFor = (tenants: SquidTenant[]) => ({
  host: lab.host.address,
  ...squidTasks({ hostName: 'proxy-1', tenants, inner: ['192.0.2.128/25'], nameservers: ['127.0.0.1'] }),
})
const install = async (tenants: SquidTenant[]) => {
  const play = playFor(tenants)
  const seen = (await hostPlay.read(play, { ssh }, quiet))!
  const now = await hostPlay.apply(play, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(play, now), null)
}
/** The lines of one host name, when there are as many as asked for and no more come. */
const linesOf = async (name: string, count = 1) => {
  const read = () => {
    const all = lab.host.sh('cat /var/log/squid/audit.log').trim().split('\n').map(parseAuditLine)
    return all.filter(it => it?.host === name)
  }
  assert.ok(await until(() => read().length >= count, 10), `no ${count} lines of ${name}`)
  await new Promise(resolve => setTimeout(resolve, 300))
  // A tunnel that a reset ends is 500 to Squid.
  return read().map(it => `${it!.verdict} ${it!.rule}${it!.status === 407 ? ' 407' : ''}`)
}

before(async () => {
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const key = join(directory, 'key.pem')
  execFileSync('openssl', [...make, '-subj', '/CN=origin', '-keyout', key, '-out', pem], { stdio: 'ignore' })
  execFileSync('sh', ['-c', 'cat "$1" >>"$2"', 'sh', key, pem])
  lab = await makeProxyLab(28, {
    origins: ['203.0.113.10'],
    names: { '.ok.test': ['203.0.113.11'], 'shut.ok.test': ['203.0.113.12'] },
  })
  proxy.host = lab.host.address.address
  for (const it of ['203.0.113.11', '203.0.113.12'])
    execFileSync('ip', ['-n', lab.netns, 'addr', 'add', it, 'dev', 'lo'])
  const script = fileURLToPath(new URL('../support/tls-origin.mjs', import.meta.url))
  const inside = ['netns', 'exec', lab.netns, process.execPath, script, '203.0.113.11', pem]
  origin = spawn('ip', inside, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(origin.stdout!, 'data')
  origin.stdout!.on('data', (chunk: Buffer) => {
    connections += chunk.toString().split('connection').length - 1
  })
  await offerSquidOpenssl(lab.host.sh)
  await install([clientA()])
})
after(async () => {
  origin?.kill('SIGKILL')
  await ssh.close()
  await lab?.down()
  rmSync(directory, { recursive: true })
})

/** Whether Squid takes a connection now. */
const answers = () =>
  new Promise<boolean>(resolve => {
    const socket = connect({ ...proxy, timeout: 1000 }, () => resolve(socket.destroy() !== null))
    socket.on('timeout', () => socket.destroy(new Error('timeout')))
    socket.on('error', () => resolve(false))
  })

test('the plan says what the other build of Squid costs, and the change is over soon', async () => {
  const seen = (await hostPlay.read(playFor([clientA({ sni: 'verify' })]), { ssh }, quiet))!
  const change = hostPlay.diff(playFor([clientA({ sni: 'verify' })]), seen)
  const line = change?.details?.find(it => it.name === 'package squid-openssl')
  assert.is(line?.diff, 'not installed -> installed, and squid leaves for it: its service restarts, what is open ends')
  let longest = 0
  let last = Date.now()
  let over = false
  const asking = (async () => {
    while (!over) {
      if (await answers()) {
        longest = Math.max(longest, Date.now() - last)
        last = Date.now()
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })()
  await install([clientA({ sni: 'verify' })])
  over = true
  await asking
  assert.match(lab.host.sh('squid -v'), /openssl/i)
  assert.is(lab.host.sh('ls /usr/sbin/policy-rc.d 2>/dev/null || :'), '')
  const began = Date.now()
  lab.host.sh('service squid restart')
  while (!(await answers()) && Date.now() - began < 60_000) await new Promise(resolve => setTimeout(resolve, 50))
  const restart = Date.now() - began
  console.log(`      away for ${longest} ms; a restart took ${restart} ms`)
  assert.ok(longest < 2 * restart + 2000, `${longest} ms`)
})

test('the right name is spliced: the certificate is the origin’s own', async () => {
  const { status, socket } = await openTunnel(proxy, 'right.ok.test:443')
  assert.is(status, 200)
  const { said, certificate } = await talk(socket, { servername: 'RIGHT.ok.test' })
  assert.match(said, /from the origin itself/)
  assert.is(certificate, new X509Certificate(readFileSync(pem)).fingerprint256)
  assert.equal(await linesOf('right.ok.test'), ['allowed allow:.ok.test'])
})

for (const [name, options] of [
  ['wrong.ok.test', { servername: 'evil.test' }],
  ['other.ok.test', { servername: 'right.ok.test' }],
  ['none.ok.test', {}],
] as const)
  test(`another name, or none, is cut before anything is dialled: ${name}`, async () => {
    const was = connections
    const { status, socket } = await openTunnel(proxy, `${name}:443`)
    assert.is(status, 200)
    assert.equal(await talk(socket, options), { said: '', certificate: '' })
    assert.equal(await linesOf(name), ['denied sni'])
    assert.is(connections, was)
  })

test('bytes that are no TLS are cut', async () => {
  const was = connections
  for (const [at, bytes] of ['GET / HTTP/1.0\r\n\r\n', 'SSH-2.0-x\r\n', '\x16\x03\x01\x00\x05hello'].entries()) {
    const name = `plain${at}.ok.test`
    const { status, socket } = await openTunnel(proxy, `${name}:443`)
    assert.is(status, 200)
    socket.write(bytes, 'latin1')
    await Promise.race([once(socket, 'close'), new Promise(resolve => setTimeout(resolve, 2000))])
    socket.destroy()
    assert.equal(await linesOf(name), ['denied sni'], JSON.stringify(bytes))
  }
  assert.is(connections, was)
})

test('an address has no name in TLS', async () => {
  const { socket } = await openTunnel(proxy, '203.0.113.11:443')
  assert.match((await talk(socket, {})).said, /from the origin itself/)
  const named = await openTunnel(proxy, '203.0.113.11:443')
  assert.is((await talk(named.socket, { servername: 'right.ok.test' })).said, '')
  assert.equal(await linesOf('203.0.113.11', 2), ['allowed allow:203.0.113.11', 'denied sni'])
})

test('what is refused by its name is refused at once, outside TLS; plain HTTP is as ever', async () => {
  const { status, socket } = await openTunnel(proxy, 'elsewhere.test:443')
  socket.destroy()
  assert.is(status, 407)
  assert.equal(await linesOf('elsewhere.test'), ['denied not-listed 407'])
  const plain = lab.host.sh(
    `curl -s -o /dev/null -w '%{http_code}' --interface ${proxy.host} -x http://${proxy.host}:3128 http://plain.test/`,
  )
  assert.is(plain, '403')
})

test('a destination that is shut has one line too', async () => {
  const { socket } = await openTunnel(proxy, 'shut.ok.test:443')
  assert.is((await talk(socket, { servername: 'shut.ok.test' })).said, '')
  assert.is((await linesOf('shut.ok.test')).length, 1)
})

test('without the check again, the build stays and tunnels are as before', async () => {
  await install([clientA()])
  assert.match(lab.host.sh('squid -v'), /openssl/i)
  const { socket } = await openTunnel(proxy, 'again.ok.test:443')
  assert.match((await talk(socket, { servername: 'evil.test' })).said, /from the origin itself/)
  const refused = await openTunnel(proxy, 'no.test:443')
  refused.socket.destroy()
  assert.is(refused.status, 403)
})
