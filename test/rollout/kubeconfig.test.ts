import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { createKube } from '../../src/rollout/kube.ts'
import { readKubeconfig } from '../../src/rollout/kubeconfig.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('rollout/kubeconfig')

const directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
const file = (name: string) => join(directory, name)
const data = (name: string) => readFileSync(file(name)).toString('base64')
let server: Server
let url = ''

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
  assert.is((await readKubeconfig(path, 'two')).server, 'https://two.example:6443')
  const thrown = await readKubeconfig(path, 'three').catch(it => it)
  assert.match(thrown.why, /no context three/)
})
