import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { createScaleway } from '../../src/scaleway/client.ts'
import { type Call, createHttpClient } from '../../src/scaleway/http.ts'
import { isDoubtful, statusOf } from '../../src/scaleway/problems.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/http')

type Answer = { status: number; body?: string; headers?: Record<string, string> } | 'cut' | 'cut-body' | 'silence'

/** A server that gives the answers in order, the last one for ever. */
const serving = async (answers: Answer[], run: (url: string, seen: string[]) => Promise<void>) => {
  const seen: string[] = []
  const server: Server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)] as Answer
    seen.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => {
      if (answer === 'silence') return
      if (answer === 'cut') return request.socket.destroy()
      if (answer === 'cut-body') {
        response.writeHead(200, { 'content-length': '100', 'content-type': 'application/json' })
        response.write('{"half"')
        setTimeout(() => request.socket.destroy(), 20)
        return
      }
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(answer.status === 204 ? undefined : (answer.body ?? '{}'))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
  } finally {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
}

const quick = { baseMs: 1, capMs: 5, attempts: 4 }
const ok: Answer = { status: 200 }

for (const { when, method, answers, calls, status } of [
  { when: 'a GET after 429', method: 'GET', answers: [{ status: 429 }, ok], calls: 2, status: 200 },
  { when: 'a GET after 503', method: 'GET', answers: [{ status: 503 }, { status: 503 }, ok], calls: 3, status: 200 },
  { when: 'a GET after a dead connection', method: 'GET', answers: ['cut', ok], calls: 2, status: 200 },
  { when: 'a GET whose body was cut', method: 'GET', answers: ['cut-body', ok], calls: 2, status: 200 },
  { when: 'a DELETE after 500', method: 'DELETE', answers: [{ status: 500 }, { status: 204 }], calls: 2, status: 204 },
  { when: 'a PATCH after a dead connection', method: 'PATCH', answers: ['cut', ok], calls: 2, status: 200 },
  {
    when: 'a POST turned away by the rate limit',
    method: 'POST',
    answers: [{ status: 429 }, ok],
    calls: 2,
    status: 200,
  },
] as { when: string; method: string; answers: Answer[]; calls: number; status: number }[])
  test(`repeats ${when}`, () =>
    serving(answers, async (url, seen) => {
      const body = method === 'POST' || method === 'PATCH' ? '{"a":1}' : null
      const response = await createHttpClient(quick)(new Request(`${url}/x`, { method, body }))
      assert.is(response.status, status)
      assert.is(seen.length, calls)
    }))

test('never repeats a POST that may have taken effect', async () => {
  await serving([{ status: 500 }, ok], async (url, seen) => {
    assert.is((await createHttpClient(quick)(`${url}/x`, { method: 'POST', body: '{}' })).status, 500)
    assert.is(seen.length, 1)
  })
  await serving(['cut', ok], async (url, seen) => {
    const error = await createHttpClient(quick)(`${url}/x`, { method: 'POST', body: '{}' }).catch(it => it)
    assert.ok(isDoubtful(error))
    assert.is(seen.length, 1)
  })
})

test('gives up after its attempts and hands on the last answer', () =>
  serving([{ status: 502 }], async (url, seen) => {
    assert.is((await createHttpClient(quick)(`${url}/x`)).status, 502)
    assert.is(seen.length, 4)
  }))

test('does not repeat what will not get better', () =>
  serving([{ status: 403 }], async (url, seen) => {
    assert.is((await createHttpClient(quick)(`${url}/x`)).status, 403)
    assert.is(seen.length, 1)
  }))

test('waits as long as Retry-After says', () =>
  serving([{ status: 429, headers: { 'retry-after': '0.3' } }, ok], async url => {
    const started = performance.now()
    await createHttpClient(quick)(`${url}/x`)
    assert.ok(performance.now() - started >= 290)
  }))

test('has a deadline for every call', () =>
  serving(['silence'], async (url, seen) => {
    const started = performance.now()
    const error = await createHttpClient({ ...quick, attempts: 2, deadlineMs: 100 })(`${url}/x`).catch(it => it)
    assert.ok(isDoubtful(error))
    assert.is(seen.length, 2)
    assert.ok(performance.now() - started < 3000)
  }))

test('stops at once when interrupted', () =>
  serving([{ status: 503 }], async url => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    const client = createHttpClient({ baseMs: 60_000, signal: stop.signal })
    const started = performance.now()
    const error = await client(`${url}/x`).catch(it => it)
    assert.is(error.name, 'AbortError')
    assert.ok(performance.now() - started < 2000)
  }))

test('counts calls and says when something is written', () =>
  serving([{ status: 503 }, ok], async url => {
    const calls: Call[] = []
    let writes = 0
    const client = createHttpClient({ ...quick, onCall: it => calls.push(it), onWrite: () => writes++ })
    await client(`${url}/a`)
    assert.equal(
      calls.map(it => [it.method, it.path, it.status, it.attempt]),
      [
        ['GET', '/a', 503, 1],
        ['GET', '/a', 200, 2],
      ],
    )
    assert.is(writes, 0)
    await client(`${url}/a`, { method: 'DELETE' })
    assert.is(writes, 2)
  }))

const secretKey = '11111111-2222-4333-8444-555555555555'
const profile = (apiUrl: string) => ({
  accessKey: 'SCWAAAAAAAAAAAAAAAAA',
  secretKey,
  apiUrl,
  projectId: '99999999-2222-4333-8444-555555555555',
  region: 'fr-par',
  zone: 'fr-par-1',
})

for (const { when, status, body, says } of [
  {
    when: '401',
    status: 401,
    body: { type: 'denied_authentication', method: 'api_key', reason: 'expired' },
    says: [/key is not accepted/, /expired/, /SCW_SECRET_KEY/],
  },
  {
    when: '403',
    status: 403,
    body: { type: 'permissions_denied', details: [{ action: 'write', resource: 'vpc' }] },
    says: [/may not/, /write vpc/, /VPCFullAccess/],
  },
  {
    when: 'a quota',
    status: 403,
    body: { type: 'quotas_exceeded', details: [{ resource: 'VPC', quota: 5, current: 5 }] },
    says: [/quota/, /VPC: 5 of 5/, /higher quota/],
  },
  {
    when: '400',
    status: 400,
    body: {
      type: 'invalid_arguments',
      details: [{ argument_name: 'name', reason: 'format', help_message: 'too long' }],
    },
    says: [/argument/, /name: format too long/, /inventory/],
  },
  {
    when: 'out of stock',
    status: 500,
    body: { type: 'out_of_stock', resource: 'x' },
    says: [/out of stock/, /out_of_stock/, /zone/],
  },
  {
    when: 'text that quotes the key',
    status: 400,
    body: { message: `bad ${secretKey}` },
    says: [/argument/, /bad \*\*\*/, /inventory/],
  },
] as { when: string; status: number; body: object; says: [RegExp, RegExp, RegExp] }[])
  test(`makes a Problem of ${when}`, () =>
    serving([{ status, body: JSON.stringify(body) }], async url => {
      const { vpc } = await createScaleway(profile(url), { context: 'test', http: { ...quick, attempts: 1 } })
      const problem = await vpc.createVPC({ name: 'x', enableRouting: true }).catch(it => it)
      assert.instance(problem, Problem)
      assert.match(problem.message, says[0])
      assert.match(problem.why, says[1])
      assert.match(problem.next, says[2])
      assert.is(statusOf(problem), status)
      assert.not.match([problem.message, problem.why, problem.next].join(), secretKey)
    }))

test('makes a Problem of an API that is not there', async () => {
  let url = ''
  await serving([ok], async it => {
    url = it // free again after this
  })
  const { vpc } = await createScaleway(profile(url), { context: 'test', http: quick })
  const problem = await vpc.listVPCs({}).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /got no answer/)
  assert.is(problem.why, `${url}: ECONNREFUSED`)
})
