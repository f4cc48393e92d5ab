import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { authorityFile, servedCertificate } from '../../src/hosts/client-certificates.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { healthName, type SquidTenant } from '../../src/hosts/squid-conf.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import type { Rule } from '../../src/policy/policy.ts'
import { type Issued, makeAuthority } from '../support/authority.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { offerSquidOpenssl } from '../support/squid-openssl.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('client certificates, on a real Squid', { seconds: 180 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const ours = makeAuthority()
const foreign = makeAuthority()
const [own, other, gone] = ['/CN=client-a', '/CN=client-b', '/CN=client-a'].map(it => ours.issue(it)) as Issued[]
let lab: ProxyLab
let host = ''
let trusted = ''
let crl = ours.revoke([gone!])

const allow = (name: string): Rule => ({
  ...{ id: `allow:${name}`, effect: 'allow', name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
})
const tenants = (more: Partial<SquidTenant> = {}): SquidTenant[] => [
  {
    ...{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'] },
    policy: { tenant: 'client-a', mode: 'enforce', rules: [allow('.ok.test')] },
    certificates: { ca: ours.pem, crl, names: ['client-a', '/O=bank/CN=client-a2'] },
    ...more,
  },
  {
    ...{ name: 'client-b', port: 3129, clients: ['192.0.2.128/25'] },
    policy: { tenant: 'client-b', mode: 'enforce', rules: [allow('.ok.test')] },
  },
]
const playFor = (all = tenants()) => ({
  host: lab.host.address,
  ...squidTasks({ hostName: 'proxy-1', tenants: all, inner: [], nameservers: ['127.0.0.1'], names: [host] }),
})
const look = async () => hostPlay.diff(playFor(), (await hostPlay.read(playFor(), { ssh }, quiet))!)
const install = async (all = tenants()) => {
  const play = playFor(all)
  const before = (await hostPlay.read(play, { ssh }, quiet))!
  const now = await hostPlay.apply(play, { ssh }, before, quiet)
  assert.is(hostPlay.diff(play, now), null)
  return JSON.stringify([before, now, hostPlay.diff(play, before)])
}

type Said = { status: number; socket: TLSSocket; reason: string }
const say = async (bytes: string, options: ConnectionOptions): Promise<Said> => {
  const socket = connect({ host, port: 3128, ca: trusted, ...options })
  let reason = ''
  let head = ''
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason ||= error.code ?? error.message
  })
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('secureConnect', () => socket.write(bytes))
  const answered = new Promise<void>(resolve =>
    socket.on('data', (chunk: Buffer) => {
      head += chunk
      if (head.includes('\r\n\r\n')) resolve()
    }),
  )
  const late = setTimeout(() => socket.destroy(new Error('no answer')), 10_000)
  await Promise.race([answered, closed])
  clearTimeout(late)
  return { status: Number(/^HTTP\/1\.\d (\d+)/.exec(head)?.[1] ?? 0), socket, reason }
}
const tunnel = (name: string, options: ConnectionOptions) =>
  say(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`, options)
/** The status of a tunnel that is closed at once. */
const ask = async (name: string, options: ConnectionOptions) => {
  const { status, socket, reason } = await tunnel(name, options)
  socket.destroy()
  return status || reason
}

const audit = (name: string) =>
  lab.host
    .sh('cat /var/log/squid/audit.log')
    .trim()
    .split('\n')
    .map(it => parseAuditLine(it))
    .filter(it => it?.host === name)
const lineOf = async (name: string) => {
  assert.ok(await until(() => audit(name).length > 0, 10), `no line of ${name}`)
  const [it, ...more] = audit(name)
  assert.is(more.length, 0)
  return it!
}
const handshakes = () =>
  lab.host
    .sh('cat /var/log/squid/handshakes.log')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(it => JSON.parse(it) as { time: string; client: string; listener: string; error: string })

before(async () => {
  lab = await makeProxyLab(29, { origins: ['203.0.113.10'], names: { '.ok.test': ['203.0.113.10'] } })
  host = lab.host.address.address
  await offerSquidOpenssl(lab.host.sh)
  // As wanted, and empty: it goes with the package that leaves.
  lab.host.sh('rm -rf /var/log/squid/*; chown proxy:proxy /var/log/squid; chmod 750 /var/log/squid')
})
after(async () => {
  for (const it of [ours, foreign]) it.remove()
  await ssh.close()
  await lab?.down()
})

test('a host gets its keys by itself, and nothing of them is seen', async () => {
  const seen = await install()
  trusted = lab.host.sh(`cat ${authorityFile}`)
  const key = lab.host.sh(`sed -n '/PRIVATE/,$p' ${servedCertificate} | sed -n 2p`).trim()
  assert.ok(key.length > 40)
  assert.not.match(seen, /PRIVATE/)
  assert.not.ok(seen.includes(key))
  assert.is(
    lab.host.sh('stat -c %a:%U /etc/squid/egress/proxy-ca.pem /etc/squid/egress/proxy-tls.pem'),
    '600:root\n600:root\n',
  )
  assert.is(await look(), null)
})

test('the right certificate goes through, and the log names it', async () => {
  const { status, socket } = await tunnel('right.ok.test', own!)
  assert.is(status, 200)
  const served = new X509Certificate(socket.getPeerCertificate().raw)
  assert.is(served.checkIP(host), host)
  socket.write('x')
  await once(socket, 'data')
  socket.destroy()
  const { verdict, rule, tenant, certificate } = await lineOf('right.ok.test')
  assert.equal([verdict, rule, tenant, certificate], ['allowed', 'allow:.ok.test', 'client-a', '/CN=client-a'])
  assert.is(await ask('whole.ok.test', ours.issue('/O=bank/CN=client-a2')), 200)
})

const mix = (it: Issued, by: Issued) => ({ cert: it.cert, key: by.key })
for (const [when, make, error] of [
  ['no certificate', () => ({}), /^SQUID_TLS_ERR_ACCEPT\+TLS_LIB_ERR=A0000C7/],
  ['one of another CA of the same name', () => foreign.issue('/CN=client-a'), /UNABLE_TO_GET_ISSUER/],
  ['an expired one', () => ours.issue('/CN=client-a', { to: '20210101000000Z' }), /CERT_HAS_EXPIRED/],
  ['one that holds later', () => ours.issue('/CN=client-a', { from: '20900101000000Z' }), /CERT_NOT_YET_VALID/],
  ['a revoked one', () => gone!, /CERT_REVOKED/],
  [
    'one for servers',
    () => ours.issue('/CN=client-a', { extension: 'extendedKeyUsage = serverAuth' }),
    /INVALID_PURPOSE/,
  ],
  ['one of its own making', () => selfSigned(), /SELF_SIGNED|UNABLE_TO_GET_ISSUER/],
] as const)
  test(`${when}: refused before anything can be asked`, async () => {
    const was = handshakes().length
    const said = await ask(`refused.ok.test`, { ...make() })
    assert.type(said, 'string')
    assert.ok(await until(() => handshakes().length > was, 10))
    const [line, ...more] = handshakes().slice(was)
    assert.is(more.length, 0)
    assert.match(line!.error, error)
    assert.is(line!.listener, '3128')
    assert.equal(audit('refused.ok.test'), [])
  })

const selfSigned = (): Issued => {
  const authority = makeAuthority('/CN=client-a')
  const key = authority.issue('/CN=client-a')
  authority.remove()
  return key
}

for (const [at, [when, make]] of (
  [
    ['that of another tenant', () => other!],
    ['two names, ours last', () => ours.issue('/CN=client-b/CN=client-a')],
    ['two names, ours first', () => ours.issue('/CN=client-a/CN=client-b')],
    ['more than the name', () => ours.issue('/O=bank/CN=client-a')],
    ['our subject inside another field', () => ours.issue('/O=bank\\/CN=client-a2')],
    ['our name with something behind it', () => ours.issue('/CN=client-a\\/CN=client-b')],
    ['another case', () => ours.issue('/CN=CLIENT-A')],
    ['a zero byte after our name', () => zero()],
    ['no name at all', () => ours.issue('/O=client-a')],
    ['quotes and line ends', () => ours.issue('/CN=a","verdict":"allowed","x":"\n{"time":')],
    [
      'a long one',
      () => ours.issue(`/O=${'o'.repeat(60)}/OU=${'u'.repeat(60)}/OU=${'v'.repeat(60)}/OU=${'w'.repeat(60)}/CN=x`),
    ],
  ] as const
).entries())
  test(`a certificate of the CA that is not the tenant’s: ${when}`, async () => {
    const name = `named${at}.ok.test`
    assert.is(await ask(name, make()), 403)
    const line = await lineOf(name)
    assert.equal([line.verdict, line.rule, line.tenant], ['denied', 'certificate', 'client-a'])
    assert.ok(line.certificate?.startsWith('/'), line.certificate)
    assert.ok((line.certificate ?? '').length <= 200)
  })

const zero = () =>
  ours.forge(ours.issue('/CN=client-aXb.example'), tbs => {
    tbs[tbs.indexOf('client-aXb') + 8] = 0
    return tbs
  })

test('a key that is not that of the certificate does not even begin', async () => {
  let said = ''
  try {
    said = String(await ask('stolen.ok.test', mix(own!, other!)))
  } catch (error) {
    said = (error as NodeJS.ErrnoException).code ?? ''
  }
  assert.match(said, /KEY_VALUES_MISMATCH/)
})

test('plain HTTP at the port with TLS, and TLS at the port without', async () => {
  const plain = dial({ host, port: 3128 })
  let said = ''
  plain.on('data', (chunk: Buffer) => {
    said += chunk
  })
  plain.on('error', () => {})
  plain.write('GET http://plain.ok.test/ HTTP/1.1\r\nHost: plain.ok.test\r\n\r\n')
  await new Promise(resolve => plain.once('close', resolve))
  assert.is(said, '')
  assert.type(await ask('tls.ok.test', { ...own, port: 3129 }), 'string')
  assert.equal([...audit('plain.ok.test'), ...audit('tls.ok.test')], [])
})

test('old TLS, a new negotiation and an old session are refused', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  assert.type(await ask('old.ok.test', { ...own, ...old }), 'string')
  const { socket } = await tunnel('again.ok.test', { ...own, maxVersion: 'TLSv1.2' })
  const session = socket.getSession()
  const ended = new Promise<string>(resolve => {
    if (!socket.renegotiate({}, error => resolve(error ? 'refused' : 'done'))) resolve('refused')
    socket.once('close', () => resolve('refused'))
  })
  assert.is(await ended, 'refused')
  socket.destroy()
  const resumed = await tunnel('resumed.ok.test', { maxVersion: 'TLSv1.2', ...(session && { session }) })
  resumed.socket.destroy()
  assert.is(resumed.status, 0)
})

test('metrics are for the host alone, without a certificate', async () => {
  const at = (port: number) => `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/squid-internal-mgr/info`
  assert.is(lab.host.sh(at(3127)), '200')
  assert.is(lab.host.sh(`curl -s -o /dev/null -w '%{http_code}' -x http://127.0.0.1:3127 http://in.ok.test/`), '403')
  const socket = dial({ host, port: 3127 })
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => 'open'),
    once(socket, 'error').then(() => 'shut'),
  ]).catch(() => 'shut')
  socket.destroy()
  assert.is(outcome, 'shut')
})

test('who looks whether the proxy is well shows the certificate, and hears the word of the helper', () => {
  const files = Object.entries({ ca: trusted, cert: own!.cert, key: own!.key })
  for (const [name, text] of files) lab.host.sh(`printf %s '${text}' >/tmp/health-${name}`)
  const shown = '--cacert /tmp/health-ca --cert /tmp/health-cert --key /tmp/health-key'
  const ask = `curl -q -s -o /dev/null -w '%{http_code}' --interface ${host} --request-target http://${healthName}/ -H 'Host: ${healthName}'`
  assert.is(lab.host.sh(`${ask} ${shown} https://${host}:3128/`), '307')
  assert.equal(audit(healthName), [])
})

test('the watch sees the port without knocking at it', async () => {
  const program = readFileSync(new URL('../../templates/usr/local/lib/kapsule-egress/watch', import.meta.url))
  lab.host.sh(`printf %s ${program.toString('base64')} | base64 -d >/tmp/watch`)
  const places = '/tmp/watch.prom /var/log/squid/audit.log /etc/squid/egress /var/spool/squid'
  const begin = `perl /tmp/watch 127.0.0.1:9302 ${places} 3128/look,3129/look,3130/look client-a >/dev/null 2>&1 & echo $!`
  const pid = lab.host.sh(begin).trim()
  try {
    const ups = () => lab.host.sh('grep ^egress_squid_up /tmp/watch.prom 2>/dev/null || :').trim().split('\n')
    assert.ok(await until(() => ups().length === 3, 20))
    assert.equal(
      ups(),
      [3128, 3129, 3130].map(it => `egress_squid_up{port="${it}"} ${it === 3130 ? 0 : 1}`),
    )
  } finally {
    lab.host.sh(`kill ${pid}`)
  }
  assert.equal(
    handshakes().filter(it => it.client === '127.0.0.1'),
    [],
  )
})

test('what is revoked is refused from then on, and nobody who is in is cut', async () => {
  const soon = ours.issue('/CN=client-a')
  const open = await tunnel('held.ok.test', own!)
  assert.is(open.status, 200)
  assert.is(await ask('soon.ok.test', soon), 200)
  let over = false
  const failed: unknown[] = []
  let asked = 0
  const asking = (async () => {
    while (!over) {
      const said = await ask('during.ok.test', own!)
      asked++
      if (said !== 200) failed.push(said)
    }
  })()
  crl = ours.revoke([soon])
  await install()
  over = true
  await asking
  assert.equal(failed, [])
  assert.ok(asked > 0)
  assert.type(await ask('revoked.ok.test', soon), 'string')
  assert.match(handshakes().at(-1)!.error, /CERT_REVOKED/)
  open.socket.write('still here')
  await once(open.socket, 'data')
  open.socket.destroy()
})

for (const [when, list, why] of [
  ['is overdue', () => ours.revoke([], 0), /it is overdue since/],
  ['is of another CA', () => foreign.revoke([]), /not signed by the CA/],
] as const)
  test(`a list that ${when} is not taken, and the one before serves on`, async () => {
    const good = crl
    crl = list()
    try {
      await install()
      assert.unreachable()
    } catch (error) {
      assert.instance(error, Problem)
      assert.match((error as Problem).why, why)
    } finally {
      crl = good
    }
    assert.is(await ask('after.ok.test', own!), 200)
    await install()
  })

test('a certificate that ends soon is made anew by a run, and clients trust it as before', async () => {
  const hash = () =>
    createHash('sha256')
      .update(lab.host.sh(`cat ${servedCertificate}`))
      .digest('hex')
  const was = hash()
  const open = await tunnel('long.ok.test', own!)
  lab.host.sh(`cd /etc/squid/egress && openssl req -new -key proxy-tls.pem -subj /CN=proxy-1 -out /tmp/csr 2>/dev/null &&
openssl x509 -req -in /tmp/csr -CA proxy-ca.crt -CAkey proxy-ca.pem -set_serial 7 -days 30 -out /tmp/crt 2>/dev/null &&
{ grep '^# names' proxy-tls.pem; cat /tmp/crt; sed -n '/BEGIN PRIVATE/,$p' proxy-tls.pem; } >/tmp/pem && cat /tmp/pem >proxy-tls.pem`)
  assert.equal(
    (await look())?.details?.map(it => it.name),
    ['command certificate that clients see', 'handler reload squid'],
  )
  await install()
  assert.is.not(hash(), was)
  const fresh = await tunnel('fresh.ok.test', own!)
  assert.is(fresh.status, 200)
  const { valid_to: end } = fresh.socket.getPeerCertificate()
  assert.ok(Date.parse(end) > Date.now() + 390 * 86_400_000)
  fresh.socket.destroy()
  open.socket.write('still here')
  await once(open.socket, 'data')
  open.socket.destroy()
})

test('whoever took the authority could pose as nobody else', () => {
  const said =
    lab.host.sh(`cd /tmp && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k -subj /CN=bank.example -out c 2>/dev/null
echo subjectAltName=DNS:bank.example >e
openssl x509 -req -in c -CA ${authorityFile} -CAkey /etc/squid/egress/proxy-ca.pem -set_serial 9 -extfile e -out l 2>/dev/null
openssl verify -CAfile ${authorityFile} l 2>&1 || :`)
  assert.match(said, /permitted subtree violation/)
})

test('without certificates again the port is as it was', async () => {
  const { certificates: _, ...plain } = tenants()[0]!
  await install([plain, tenants()[1]!])
  const code = `curl -s -o /dev/null -w '%{http_code}' --interface ${host} -x http://${host}:3128 http://back.ok.test/`
  assert.is(lab.host.sh(code), '200')
  assert.not.ok('certificate' in (await lineOf('back.ok.test')))
})
