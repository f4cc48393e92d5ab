import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { type WebSocket, WebSocketServer } from 'ws'
import { createHttp } from '../../src/rollout/kube/http.ts'
import { createKube, createKubes, type Kube } from '../../src/rollout/kube/kube.ts'
import { readKubeconfig } from '../../src/rollout/kube/kubeconfig.ts'
import { KubeProblem } from '../../src/rollout/kube/problem.ts'
import { watch } from '../../src/rollout/kube/watch.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('rollout/kube')

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

const requests: { method: string; url: URL; type: string | undefined; body: string }[] = []
let answers: Answer[] = []
/** How the next execs are met before they begin. */
const refusals: string[] = []
let onExec: (socket: WebSocket, url: URL) => void = () => undefined
let directory = ''
let kube: Kube

const server = createServer((request, response) => {
  let body = ''
  request.on('data', part => {
    body += part
  })
  request.on('end', () => {
    const url = new URL(request.url ?? '', 'http://x')
    requests.push({ method: request.method ?? '', url, type: request.headers['content-type'], body })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (request.headers.authorization !== 'Bearer s3cret') return json(401, { message: 'no' })(request, response, body)
    answer?.(request, response, body)
  })
})
const sockets = new WebSocketServer({ noServer: true, handleProtocols: offered => [...offered][0] ?? false })
server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url ?? '', 'http://x')
  const refusal = refusals.shift()
  if (refusal === 'cut') socket.destroy()
  else if (refusal) socket.end(refusal)
  else if (url.pathname.includes('absent')) {
    const text = JSON.stringify({ message: 'pods "absent" not found' })
    socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
  } else sockets.handleUpgrade(request, socket, head, it => onExec(it, url))
})

const json =
  (code: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
const cut: Answer = request => request.socket.destroy()

const script = (...next: Answer[]) => {
  answers = next
  requests.length = 0
}
const kubeconfig = (url: string, user: object = { token: 's3cret' }) =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: { server: url } }],
    users: [{ name: 'u', user }],
  })
const problemOf = async (doing: Promise<unknown>): Promise<KubeProblem> => {
  const thrown = await doing.then(() => assert.unreachable('it should have thrown')).catch(it => it)
  assert.instance(thrown, KubeProblem, String(thrown))
  return thrown
}

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  directory = await mkdtemp(join(tmpdir(), 'kube-'))
  const { port } = server.address() as AddressInfo
  await writeFile(join(directory, 'ok'), kubeconfig(`http://127.0.0.1:${port}/`))
  await writeFile(join(directory, 'stranger'), kubeconfig(`http://127.0.0.1:${port}`, { token: 'wrong-token' }))
  await writeFile(join(directory, 'plugin'), kubeconfig(`http://127.0.0.1:${port}`, { exec: { command: 'x' } }))
  await writeFile(join(directory, 'nobody'), kubeconfig('http://127.0.0.1:65531'))
  await writeFile(join(directory, 'broken'), 'users: [{ name: u, user: { token: "s3cret }')
  kube = createKube({ kubeconfig: join(directory, 'ok') })
})
after(async () => {
  await kube.close()
  server.closeAllConnections()
  server.close()
  await rm(directory, { recursive: true })
})

const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'x' }
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'n', name: 'x' }, data: { a: '1' } }

for (const { when, by, tries } of [
  { when: 'it answers', by: [json(200, object)], tries: 1 },
  { when: 'a cut connection', by: [cut, json(200, object)], tries: 2 },
  { when: '500, then 503', by: [json(500, {}), json(503, {}), json(200, object)], tries: 3 },
  { when: '429', by: [json(429, {}), json(200, object)], tries: 2 },
]) {
  test(`get, ${when}: ${tries} tries`, async () => {
    script(...by)
    assert.equal(await kube.get(id), object)
    assert.is(requests.length, tries)
    assert.is(requests[0]?.url.pathname, '/api/v1/namespaces/n/configmaps/x')
  })
}

test('a server that has answered is waited for longer than one that never did', async () => {
  const http = createHttp(await readKubeconfig(join(directory, 'ok')), { firstDelayMs: 1 })
  const get = () => http.json({ method: 'GET', path: '/x', doing: 'look' })
  const away = Array.from({ length: 12 }, (_, at) => (at % 2 ? cut : json(503, {})))
  script(...away, json(200, {}))
  assert.match((await problemOf(get())).message, /^look: /)
  assert.is(requests.length, 6)
  script(json(404, {}))
  await problemOf(get())
  script(...away, json(200, object))
  assert.equal(await get(), object)
  assert.is(requests.length, 13)
  // What it says of itself is no outage.
  script(json(500, {}))
  await problemOf(get())
  assert.is(requests.length, 6)
  await http.close()
})

test('Retry-After is heeded', async () => {
  script(json(429, {}, { 'retry-after': '1' }), json(200, object))
  const start = Date.now()
  await kube.get(id)
  assert.ok(Date.now() - start >= 1000)
})

test('a POST is repeated on 429 only', async () => {
  script(json(429, {}), json(500, { message: 'boom' }))
  const problem = await problemOf(kube.create(object))
  assert.is(problem.status, 500)
  assert.is(requests.length, 2)
  script(cut)
  assert.is((await problemOf(kube.create(object))).status, 0)
  assert.is(requests.length, 1)
})

test('not there is null, and gone already is deleted', async () => {
  script(json(404, { message: 'not found' }))
  assert.is(await kube.get(id), null)
  await kube.delete(id, { uid: 'u1' })
  assert.equal(JSON.parse(requests[1]?.body ?? '').preconditions, { uid: 'u1' })
})

test('apply sends our name, and a conflict names the other manager and the field', async () => {
  const message = 'conflict with "kubectl-edit" using v1 at 2026-01-01T00:00:00Z'
  const causes = [{ reason: 'FieldManagerConflict', message, field: '.data.a' }]
  script(json(409, { reason: 'Conflict', message: 'Apply failed', details: { causes } }))
  const problem = await problemOf(kube.apply(object))
  assert.equal(problem.conflicts, [{ manager: 'kubectl-edit', field: '.data.a' }])
  assert.is(problem.why, '.data.a belongs to kubectl-edit')
  const [request] = requests
  assert.is(request?.method, 'PATCH')
  assert.is(request?.type, 'application/apply-patch+yaml')
  assert.equal(Object.fromEntries(request?.url.searchParams ?? []), { fieldManager: 'kapsule-egress', force: 'false' })
})

test('each patch has its type', async () => {
  script(json(200, object))
  await kube.patch(id, { merge: {} })
  await kube.patch(id, { strategic: {} }, { manager: 'other' })
  await kube.patch(id, { json: [] })
  assert.equal(
    requests.map(it => it.type),
    ['application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/json-patch+json'],
  )
  assert.is(requests[1]?.url.searchParams.get('fieldManager'), 'other')
})

test('lists are read to the end', async () => {
  const item = (name: string) => ({ metadata: { name } })
  script(
    json(200, { metadata: { resourceVersion: '7', continue: 'next' }, items: [item('a')] }),
    json(200, { metadata: { resourceVersion: '7' }, items: [item('b')] }),
  )
  const { items, resourceVersion } = await kube.list({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'n',
    labelSelector: 'a=b',
  })
  assert.equal(
    items.map(it => `${it.kind} ${it.metadata.name}`),
    ['Pod a', 'Pod b'],
  )
  assert.is(resourceVersion, '7')
  assert.equal(
    requests.map(it => it.url.searchParams.get('continue')),
    [null, 'next'],
  )
  assert.is(requests[1]?.url.searchParams.get('labelSelector'), 'a=b')
})

test('an answer may be compressed, and is asked for again when it breaks off', async () => {
  const text = JSON.stringify({ kind: 'Pod', metadata: { name: 'b' }, long: 'x'.repeat(10_000) })
  const short: Answer = (request, response) => {
    response
      .writeHead(200, { 'content-length': text.length })
      .write(text.slice(0, 100), () => cut(request, response, ''))
  }
  const zipped: Answer = (request, response) => {
    assert.is(request.headers['accept-encoding'], 'gzip')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text))
  }
  script(short, zipped)
  assert.equal(await kube.get(id), JSON.parse(text))
  assert.is(requests.length, 2)
})

for (const { when, file, status, why } of [
  { when: 'wrong token', file: 'stranger', status: 401, why: /credentials/ },
  { when: 'nobody listens', file: 'nobody', status: 0, why: /127\.0\.0\.1:65531 cannot be reached: .*ECONNREFUSED/ },
]) {
  test(`${when} is a Problem without secrets`, async () => {
    const other = createKube({ kubeconfig: join(directory, file) })
    const problem = await problemOf(other.get(id))
    await other.close()
    assert.is(problem.status, status)
    assert.match(problem.why, why)
    assert.not.match(JSON.stringify(problem) + problem.stack, /wrong-token|s3cret/)
  })
}

for (const { file, why } of [
  { file: 'plugin', why: /login plugin/ },
  { file: 'missing', why: /no such file/ },
  { file: 'broken', why: /not YAML|BAD|MISSING|cannot be read/ },
]) {
  test(`kubeconfig ${file} is bad input`, async () => {
    const thrown = await createKube({ kubeconfig: join(directory, file) })
      .get(id)
      .catch(it => it)
    assert.is(thrown.exit, 2)
    assert.match(thrown.why, why)
    assert.not.match(`${thrown.message}${thrown.why}${thrown.stack}`, /s3cret/)
  })
}

test('one client for each kubeconfig', async () => {
  const kubes = createKubes()
  assert.is(kubes(join(directory, 'ok')), kubes(join(directory, 'ok')))
  assert.is.not(kubes(join(directory, 'ok')), kubes(join(directory, 'nobody')))
  await kubes.close()
})

test('a watch goes on after a cut, and says what was missed after 410', async () => {
  const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`
  const pod = (name: string, resourceVersion: string) => ({ kind: 'Pod', metadata: { name, resourceVersion } })
  const list = (resourceVersion: string) => json(200, { metadata: { resourceVersion }, items: [] })
  const events =
    (...lines: string[]): Answer =>
    (_request, response) => {
      for (const line of lines) response.write(line)
      response.end()
    }
  script(
    list('10'),
    events(event('ADDED', pod('a', '11')), event('BOOKMARK', pod('', '15'))),
    cut,
    events(event('MODIFIED', pod('a', '16')), event('ERROR', { code: 410, message: 'too old' })),
    list('30'),
    json(410, { message: 'gone' }),
    list('40'),
    events(event('DELETED', pod('a', '41'))),
  )
  const stop = new AbortController()
  const seen: string[] = []
  for await (const it of kube.watch({ apiVersion: 'v1', kind: 'Pod', namespace: 'n' }, { signal: stop.signal })) {
    seen.push(it.type)
    if (it.type === 'DELETED') stop.abort()
  }
  assert.equal(seen, ['MISSED', 'ADDED', 'MODIFIED', 'MISSED', 'MISSED', 'DELETED'])
  const from = requests
    .filter(it => it.url.searchParams.has('watch'))
    .map(it => it.url.searchParams.get('resourceVersion'))
  assert.equal(from, ['10', '15', '15', '30', '40'])
})

test('a watch over which nothing comes, not even a bookmark, is begun anew where it was', async () => {
  const silent: Answer = (_request, response) => response.flushHeaders()
  const said: Answer = (_request, response) => {
    response.end(`${JSON.stringify({ type: 'ADDED', object: { kind: 'Pod', metadata: { name: 'a' } } })}\n`)
  }
  script(json(200, { metadata: { resourceVersion: '7' }, items: [] }), silent, said)
  const access = await readKubeconfig(join(directory, 'ok'))
  const http = createHttp(access)
  const stop = new AbortController()
  const seen: string[] = []
  for await (const it of watch(http, { apiVersion: 'v1', kind: 'Pod' }, { signal: stop.signal, silenceMs: 100 })) {
    seen.push(it.type)
    if (it.type === 'ADDED') stop.abort()
  }
  await http.close()
  assert.equal(seen, ['MISSED', 'ADDED'])
  const from = requests.map(it => it.url.searchParams.get('resourceVersion')).filter(it => it)
  assert.equal(from, ['7', '7'])
})

test('a watch that is forbidden says so', async () => {
  script(json(200, { metadata: { resourceVersion: '1' }, items: [] }), json(403, { message: 'pods is forbidden' }))
  const { signal } = new AbortController()
  const watching = async () => {
    for await (const _ of kube.watch({ apiVersion: 'v1', kind: 'Pod' }, { signal })) void _
  }
  assert.is((await problemOf(watching())).why, 'pods is forbidden')
})

const send = (socket: WebSocket, channel: number, text: string) =>
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]))
const exited = (code: string) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: code }] },
})
const at = { namespace: 'n', pod: 'p', container: 'c', command: ['curl', '-s', 'a b'] }

test('exec gives exit code and both streams, in the container that was named', async () => {
  onExec = (socket, url) => {
    send(socket, 1, `${url.searchParams.getAll('command').join('|')} in ${url.searchParams.get('container')}`)
    send(socket, 2, 'oops')
    send(socket, 3, JSON.stringify(exited('28')))
    socket.close(1000)
  }
  assert.equal(await kube.exec(at), { code: 28, stdout: 'curl|-s|a b in c', stderr: 'oops' })
})

test('an exec that finds nobody is begun when the server is back', async () => {
  onExec = socket => {
    send(socket, 3, JSON.stringify({ status: 'Success' }))
    socket.close(1000)
  }
  for (const how of ['cut', 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}']) {
    refusals.push(how)
    script(cut, json(503, {}), json(200, {}))
    assert.is((await kube.exec(at)).code, 0)
    assert.equal(
      requests.map(it => it.url.pathname),
      ['/version', '/version', '/version'],
    )
  }
  refusals.push('cut', 'cut')
  script(json(200, {}))
  assert.match((await problemOf(kube.exec(at))).message, /^exec curl in n\/p: no answer/)
  assert.equal(refusals, [])
})

test('exec hands over stdin and its end', async () => {
  onExec = socket => {
    let text = ''
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) text += data.subarray(1)
      if (data[0] !== 255) return
      send(socket, 1, text.toUpperCase())
      send(socket, 3, JSON.stringify({ status: 'Success' }))
      socket.close(1000)
    })
  }
  assert.equal(await kube.exec(at, { stdin: 'hello' }), { code: 0, stdout: 'HELLO', stderr: '' })
})

for (const { when, by, pod = 'p', timeoutMs = 20_000, why } of [
  { when: 'dies without a status', by: (it: WebSocket) => it.terminate(), why: /without a status/ },
  { when: 'ends politely without a status', by: (it: WebSocket) => it.close(1000), why: /without a status/ },
  {
    when: 'finds no such program',
    by: (it: WebSocket) => {
      send(it, 3, JSON.stringify({ status: 'Failure', message: 'exec: "curl": executable file not found in $PATH' }))
      it.close(1000)
    },
    why: /executable file not found/,
  },
  { when: 'hangs', by: () => undefined, timeoutMs: 200, why: /did not end within 200 ms/ },
  { when: 'has no pod', by: () => undefined, pod: 'absent', why: /pods "absent" not found/ },
]) {
  test(`an exec that ${when} is a Problem, never success`, async () => {
    onExec = by
    assert.match((await problemOf(kube.exec({ ...at, pod }, { timeoutMs }))).why, why)
  })
}

test('an interrupt ends an exec', async () => {
  onExec = () => undefined
  const thrown = await kube.exec(at, { signal: AbortSignal.timeout(50) }).catch(it => it)
  assert.is(thrown.name, 'TimeoutError')
})
