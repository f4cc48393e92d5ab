import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProxy, type Server as HttpServer } from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { createKube } from '../../src/rollout/kube/kube.ts'
import { proxyFor, readKubeconfig } from '../../src/rollout/kube/kubeconfig.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('rollout/kubeconfig')

const directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
const file = (name: string) => join(directory, name)
const data = (name: string) => readFileSync(file(name)).toString('base64')
let server: Server
let url = ''
/** Tokens that the server does not know any more. */
const ended = new Set<string>()

/** A self-signed certificate that is its own authority. */
const certificate = (name: string) => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${name}.key`)]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1']
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', file(`${name}.crt`)], { stdio: 'ignore' })
}

before(async () => {
  certificate('server')
  certificate('operator')
  server = createServer({
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.crt')),
    ca: readFileSync(file('operator.crt')),
    requestCert: true,
    rejectUnauthorized: false,
  })
  server.on('request', (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    if (ended.has(String(request.headers.authorization))) {
      response.writeHead(401).end('{}')
      return
    }
    const who = { certificate: subject?.CN ?? null, authorization: request.headers.authorization ?? null }
    response.end(JSON.stringify({ kind: 'Who', ...who }))
  })
  const sockets = new WebSocketServer({ server, handleProtocols: offered => [...offered][0] ?? false })
  sockets.on('connection', (socket, request) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    socket.send(Buffer.concat([Buffer.of(1), Buffer.from(String(subject?.CN))]))
    socket.send(Buffer.concat([Buffer.of(3), Buffer.from('{"status":"Success"}')]))
    socket.close(1000)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true })
})

/** A proxy on the way, and what it was asked to connect to. */
const asked: string[] = []
let proxy: HttpServer
before(async () => {
  proxy = createProxy().on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    const { port } = new URL(`http://${request.url}`)
    const onward = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const it of [onward, socket]) it.on('error', () => undefined)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
})
after(() => {
  proxy.closeAllConnections()
  proxy.close()
})
const proxyUrl = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`

/** A login plugin that counts how often it is asked; `status` is a shell word. */
const plugin = (status: string, more: object = {}) => {
  const script = `n=$(($(cat "$DIR/count" 2>/dev/null || echo 0) + 1)); echo "$n" > "$DIR/count"
printf '%s' "$KUBERNETES_EXEC_INFO" > "$DIR/info"
printf '%s\\n' '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":'"${status}"'}'`
  writeFileSync(file('plugin'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  rmSync(file('count'), { force: true })
  const env = [{ name: 'DIR', value: directory }]
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', env, ...more } }
}
const timesAsked = () => Number(readFileSync(file('count'), 'utf8'))

const write = (cluster: object, user: object): string => {
  const path = file('config')
  const contexts = [
    { name: 'one', context: { cluster: 'k', user: 'u' } },
    { name: 'two', context: { cluster: 'k2', user: 'u' } },
  ]
  const clusters = [
    { name: 'k', cluster: { server: url, ...cluster } },
    { name: 'k2', cluster: { server: 'https://two.example:6443/' } },
  ]
  writeFileSync(path, JSON.stringify({ 'current-context': 'one', contexts, clusters, users: [{ name: 'u', user }] }))
  return path
}
const who = async (cluster: object, user: object) => {
  const kube = createKube({ kubeconfig: write(cluster, user) })
  try {
    return await kube.get({ apiVersion: 'v1', kind: 'Who', name: 'me' })
  } finally {
    await kube.close()
  }
}
const byData = () => ({ 'client-certificate-data': data('operator.crt'), 'client-key-data': data('operator.key') })

test('authority and client certificate from data', async () => {
  const me = await who({ 'certificate-authority-data': data('server.crt') }, byData())
  assert.equal(me, { kind: 'Who', certificate: 'operator', authorization: null } as never)
})

test('authority and client certificate from files beside it', async () => {
  const user = { 'client-certificate': 'operator.crt', 'client-key': 'operator.key' }
  const me = await who({ 'certificate-authority': 'server.crt' }, user)
  assert.equal(me, { kind: 'Who', certificate: 'operator', authorization: null } as never)
})

test('a token from a file', async () => {
  writeFileSync(file('token'), 's3cret\n')
  const me = await who({ 'certificate-authority': 'server.crt' }, { tokenFile: 'token' })
  assert.equal(me, { kind: 'Who', certificate: null, authorization: 'Bearer s3cret' } as never)
})

test('exec uses the same certificates', async () => {
  const kube = createKube({ kubeconfig: write({ 'certificate-authority-data': data('server.crt') }, byData()) })
  const { stdout } = await kube.exec({ namespace: 'n', pod: 'p', container: 'c', command: ['x'] })
  await kube.close()
  assert.is(stdout, 'operator')
})

test('a certificate of another authority is a Problem, unless it is said not to matter', async () => {
  const thrown = await who({ 'certificate-authority-data': data('operator.crt') }, { token: 't' }).catch(it => it)
  assert.match(thrown.why, /is not trusted/)
  assert.match(thrown.next, /certificate-authority/)
  assert.is((await who({ 'insecure-skip-tls-verify': true }, { token: 't' }))?.kind, 'Who')
})

test('another context by name', async () => {
  const path = write({}, { token: 't' })
  assert.is((await readKubeconfig(path, { context: 'two' })).server, 'https://two.example:6443')
  const thrown = await readKubeconfig(path, { context: 'three' }).catch(it => it)
  assert.match(thrown.why, /no context three/)
})

const trusted = { 'certificate-authority': 'server.crt' }

test('a login plugin beside the file is asked once for many calls', async () => {
  const kube = createKube({ kubeconfig: write(trusted, plugin('{\\"token\\":\\"t$n\\"}')) })
  const calls = Array.from({ length: 8 }, () => kube.get({ apiVersion: 'v1', kind: 'Who', name: 'me' }))
  const all = (await Promise.all(calls)) as unknown as { authorization: string }[]
  await kube.close()
  assert.equal([...new Set(all.map(it => it.authorization))], ['Bearer t1'])
  assert.is(timesAsked(), 1)
})

test('it is asked anew when its credentials end, and when they are refused, of which secrets are told', async () => {
  const soon = new Date(Date.now() + 3000).toISOString()
  const secrets: string[] = []
  const status = `{\\"token\\":\\"t$n\\",\\"expirationTimestamp\\":\\"${soon}\\"}`
  const kube = createKube({ kubeconfig: write(trusted, plugin(status)), onSecret: it => secrets.push(it) })
  const get = async () =>
    ((await kube.get({ apiVersion: 'v1', kind: 'Who', name: 'me' })) as unknown as { authorization: string })
      .authorization
  // They end within the ten seconds that a call may take.
  assert.is(await get(), 'Bearer t1')
  assert.is(await get(), 'Bearer t2')
  ended.add('Bearer t3')
  assert.is(await get(), 'Bearer t4')
  await kube.close()
  assert.equal(secrets, ['t1', 't2', 't3', 't4'])
})

test('credentials that stay refused are a Problem, not a loop', async () => {
  ended.add('Bearer same')
  const thrown = await who(trusted, plugin('{\\"token\\":\\"same\\"}')).catch(it => it)
  assert.is(thrown.status, 401)
  assert.is(timesAsked(), 2)
})

test('a plugin may give a client certificate, and is told of the cluster when it asks', async () => {
  const [cert, key] = ['operator.crt', 'operator.key'].map(it => JSON.stringify(readFileSync(file(it), 'utf8')))
  writeFileSync(file('status'), `{"clientCertificateData":${cert},"clientKeyData":${key}}`)
  const user = plugin('$(cat "$DIR/status")', { provideClusterInfo: true, interactiveMode: 'Never' })
  assert.is(((await who(trusted, user)) as unknown as { certificate: string }).certificate, 'operator')
  const { kind, spec } = JSON.parse(readFileSync(file('info'), 'utf8'))
  assert.is(kind, 'ExecCredential')
  assert.is(spec.cluster.server, url)
  assert.is(
    Buffer.from(spec.cluster['certificate-authority-data'], 'base64').toString(),
    readFileSync(file('server.crt'), 'utf8'),
  )
})

const refused = 'echo out; echo "no session: log in" >&2; exit 3'
for (const { when, user, why, next } of [
  {
    when: 'is not there',
    user: {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-plugin', installHint: 'apt install it' },
    },
    why: /no-such-plugin of u is not there/,
    next: /apt install it/,
  },
  {
    when: 'fails',
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', refused] } },
    why: /ended with 3: no session: log in/,
    next: /log in anew/,
  },
  {
    when: 'says something else',
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: ['secret-token'] } },
    why: /gave no .* ExecCredential/,
    next: /kubectl config view/,
  },
  {
    when: 'speaks an old version',
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'true' } },
    why: /speaks client.authentication.k8s.io\/v1alpha1/,
    next: /kubectl config view/,
  },
  {
    when: 'has to ask a person',
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'true', interactiveMode: 'Always' } },
    why: /wants to ask a person/,
    next: /on a terminal/,
  },
  { when: 'is of the old kind', user: { 'auth-provider': { name: 'gcp' } }, why: /auth-provider/, next: /users.exec/ },
]) {
  test(`a login plugin that ${when}`, async () => {
    const thrown = await who(trusted, user).catch(it => it)
    assert.match(thrown.why, why)
    assert.match(thrown.next, next)
    assert.is(thrown.exit, 2)
    assert.not.match(`${thrown.message} ${thrown.why} ${thrown.next} ${thrown.cause ?? ''}`, /secret-token/)
  })
}

test('a token file that was written anew is read when the old token is refused', async () => {
  writeFileSync(file('token'), 'first')
  const kube = createKube({ kubeconfig: write(trusted, { tokenFile: 'token' }) })
  const get = () =>
    kube.get({ apiVersion: 'v1', kind: 'Who', name: 'me' }) as unknown as Promise<{ authorization: string }>
  assert.is((await get()).authorization, 'Bearer first')
  writeFileSync(file('token'), 'second')
  ended.add('Bearer first')
  assert.is((await get()).authorization, 'Bearer second')
  await kube.close()
})

test('calls and exec go through the proxy of the kubeconfig', async () => {
  const kube = createKube({ kubeconfig: write({ ...trusted, 'proxy-url': proxyUrl() }, byData()) })
  const me = (await kube.get({ apiVersion: 'v1', kind: 'Who', name: 'me' })) as unknown as { certificate: string }
  assert.is(me.certificate, 'operator')
  const { stdout } = await kube.exec({ namespace: 'n', pod: 'p', container: 'c', command: ['x'] })
  await kube.close()
  assert.is(stdout, 'operator')
  assert.equal(
    asked,
    [url, url].map(it => new URL(it).host),
  )
})

for (const { server = 'https://api.k8s.example:6443', env, by } of [
  { env: {}, by: undefined },
  { env: { HTTPS_PROXY: 'http://proxy:3128' }, by: 'http://proxy:3128' },
  { env: { https_proxy: 'proxy:3128' }, by: 'http://proxy:3128' },
  { env: { HTTP_PROXY: 'http://proxy:3128' }, by: undefined },
  { env: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'k8s.example' }, by: undefined },
  { env: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.example:6443, x' }, by: undefined },
  { env: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 's.example,api.k8s.example:443' }, by: 'http://proxy:3128' },
  { server: 'https://10.1.2.3', env: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '10.0.0.0/8' }, by: undefined },
  { server: 'https://11.1.2.3', env: { HTTPS_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, by: 'http://p:1' },
  { server: 'https://127.0.0.1:6443', env: { HTTPS_PROXY: 'http://proxy:3128' }, by: undefined },
]) {
  test(`the way to ${server} with ${JSON.stringify(env)}`, () => {
    assert.is(proxyFor(new URL(server), env as NodeJS.ProcessEnv), by)
  })
}

test('several files, as KUBECONFIG has them: the first that says it wins, one that is not there says nothing', async () => {
  const one = write({}, { token: 't' })
  writeFileSync(
    file('more'),
    JSON.stringify({
      'current-context': 'extra',
      contexts: [{ name: 'extra', context: { cluster: 'k2', user: 'u' } }],
    }),
  )
  const both = `${file('absent')}:${file('more')}:${one}`
  assert.is((await readKubeconfig(both)).server, 'https://two.example:6443')
  assert.is((await readKubeconfig(both, { context: 'one' })).server, url)
  assert.equal(await (await readKubeconfig(both)).login.current(), { token: 't' })
})

test('a proxy of another sort is refused', async () => {
  const thrown = await readKubeconfig(write({ 'proxy-url': 'socks5://127.0.0.1:1080' }, { token: 't' })).catch(it => it)
  assert.match(thrown.why, /proxy-url/)
})
