import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'
import * as assert from 'uvu/assert'
import { healthLoop } from '../../src/rollout/proxy-service.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('the health loop, run by sh', { seconds: 60 })
const folder = mkdtempSync(join(tmpdir(), 'health-'))
const [first, second] = ['127.0.0.11', '127.0.0.12']
const addresses = [first!, second!]
const port = 23128

type Patch = { op: string; path: string; value: string | boolean }[]
const patches: Patch[] = []
const asked: string[] = []
const seen = { authorization: '', url: '', type: '' }
let annotations: Record<string, string> = {}
let refuse = false

const api: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  for await (const it of request) chunks.push(it)
  const { authorization = '', 'content-type': type = '' } = request.headers
  Object.assign(seen, { authorization, type, url: request.url })
  if (refuse) return response.writeHead(403).end('{"message":"no"}')
  patches.push(JSON.parse(Buffer.concat(chunks).toString()))
  const metadata = { annotations, managedFields: [{ fieldsV1: { 'f:drain.kapsule-egress/127.0.0.12': {} } }] }
  return response.end(JSON.stringify({ kind: 'EndpointSlice', metadata }, null, 2))
}
/** A proxy, as far as a look at its health goes; it may hang. */
const proxy = async (address: string) => {
  const state = { hangs: false, says: 307 }
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.host}`)
    if (!state.hangs) response.writeHead(state.says).end()
  })
  await listen(server, address, port)
  return { state, close: () => new Promise<void>(done => server.close(() => done())).then(() => undefined), server }
}
const listen = (server: Server, address: string, port: number) =>
  new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve))

const proxies: Awaited<ReturnType<typeof proxy>>[] = []
let apiServer: ReturnType<typeof createTls>
let loop: ReturnType<typeof spawn>
let said = ''
const endLoop = async () => {
  const ended = new Promise(done => loop.once('exit', done))
  loop.kill('SIGTERM')
  return ended
}

before(async () => {
  const account = join(folder, 'account')
  for (const it of [account, join(folder, 'beat')]) mkdirSync(it)
  const line = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${folder}/key -out ${account}/ca.crt -days 1 -subj /CN=api -addext subjectAltName=IP:127.0.0.10`
  execaSync('openssl', line.split(' '))
  writeFileSync(join(account, 'token'), 'a-token')
  const [cert, key] = ['account/ca.crt', 'key'].map(it => execaSync('cat', [join(folder, it)]).stdout)
  apiServer = createTls({ cert, key }, api)
  await listen(apiServer as unknown as Server, '127.0.0.10', 0)
  for (const it of addresses) proxies.push(await proxy(it))
  mkdirSync(join(folder, 'bin'))
  for (const it of ['curl', 'sleep'])
    writeFileSync(join(folder, 'bin', it), told(it, execaSync('which', [it]).stdout), { mode: 0o755 })
  const ask = 'http://proxy-health.invalid/'
  const { deployment } = healthLoop({ tenant: 'a', namespace: 'a-demo', pool: 'a', addresses, port, ask })
  const [container] = (deployment.spec as { template: { spec: { containers: Container[] } } }).template.spec.containers
  const [, , script] = container!.command
  const env = Object.fromEntries(container!.env.map(it => [it.name, it.value]))
  loop = spawn('sh', ['-c', script!.replace(/^account=.*/m, `account=${account}`)], {
    env: {
      // Sooner than in a cluster, so that nobody waits.
      ...{ PATH: `${join(folder, 'bin')}:${process.env.PATH}`, ...env, BEAT: join(folder, 'beat'), EVERY: '0.05' },
      KUBERNETES_SERVICE_HOST: '127.0.0.10',
      KUBERNETES_SERVICE_PORT: String((apiServer.address() as AddressInfo).port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const it of [loop.stdout, loop.stderr]) it?.on('data', (text: Buffer) => (said += text))
})
/** A program that writes down that it ran. */
const told = (name: string, path: string) =>
  `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>${folder}/ran\nexec ${path} "$@"\n`
type Container = { command: string[]; env: { name: string; value: string }[] }

after(async () => {
  if (loop.exitCode === null) await endLoop()
  for (const it of [...proxies.map(it => it.server), apiServer]) {
    it.closeAllConnections()
    it.close()
  }
  rmSync(folder, { recursive: true })
})

/** What the last patch says of each address. */
const readiness = () => patches.at(-1)?.flatMap(it => (it.path.endsWith('/ready') ? [it.value] : []))
const sees = async (isTrue: () => boolean, what: string) =>
  assert.ok(await until(isTrue, 20), `${what}\n${JSON.stringify(patches.at(-1))}\n${said}`)
const becomes = (...wanted: boolean[]) => sees(() => String(readiness()) === String(wanted), String(wanted))

test('it asks each proxy for the name that is not logged, and says who is ready', async () => {
  await becomes(true, true)
  assert.equal([...new Set(asked)], ['http://proxy-health.invalid/ proxy-health.invalid'])
  assert.is(seen.authorization, 'Bearer a-token')
  assert.is(seen.type, 'application/json-patch+json')
  assert.is(
    seen.url,
    '/apis/discovery.k8s.io/v1/namespaces/a-demo/endpointslices/egress-proxy?fieldManager=egress-health',
  )
  assert.equal(patches[0]?.[0], { op: 'test', path: '/endpoints/0/addresses/0', value: first })
})

test('a closed port is out at once, and back when it answers again', async () => {
  proxies[0]!.server.closeAllConnections()
  await proxies[0]!.close()
  await becomes(false, true)
  proxies[0] = await proxy(first!)
  await becomes(true, true)
})

test('one that takes connections and says nothing is out too, asked twice without a pause', async () => {
  proxies[1]!.state.hangs = true
  await becomes(true, false)
  assert.match(readFileSync(join(folder, 'ran'), 'utf8'), /curl .* -Z .*\ncurl .* -Z .*\n/)
})

test('one that answers as Squid does before it is configured is out', async () => {
  proxies[1]!.state.hangs = false
  await becomes(true, true)
  proxies[1]!.state.says = 403
  await becomes(true, false)
  proxies[1]!.state.says = 307
  await becomes(true, true)
  proxies[1]!.state.hangs = true
  await becomes(true, false)
})

test('the last one stays, whatever becomes of it', async () => {
  const before = patches.length
  proxies[0]!.state.hangs = true
  await sees(() => said.includes(`${first} does not answer`), 'it sees that nobody answers')
  // One comes every 20 rounds, needed or not.
  await sees(() => patches.length > before, 'another patch')
  assert.equal(readiness(), [true, false])
  assert.not(patches.slice(before).some(it => it.every(op => op.value !== true)))
  for (const it of proxies) it.state.hangs = false
  await becomes(true, true)
})

test('what is drained gets nothing new, unless nothing else is left', async () => {
  annotations = { [`drain.kapsule-egress/${first}`]: '2026-11-21' }
  await becomes(false, true)
  proxies[1]!.state.hangs = true
  await becomes(true, false)
  proxies[1]!.state.hangs = false
  await becomes(false, true)
  annotations = {}
  await becomes(true, true)
})

test('a refusal of the API is said once, and tried again', async () => {
  refuse = true
  proxies[0]!.state.hangs = true
  await sees(() => /the slice was not changed.*403/.test(said), 'it says so')
  refuse = false
  await becomes(false, true)
  assert.is(said.match(/the slice was not changed/g)?.length, 1, said)
})

test('nothing but what happens is said', () => assert.not.match(said, /Xfers|--:--/))

test('it ends when it is told to', async () => {
  assert.is(await endLoop(), 0)
})
