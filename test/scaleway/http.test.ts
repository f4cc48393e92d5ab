import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { createCircuit } from '../../src/scaleway/circuit.ts'
import { type Call, createHttpClient, type Note } from '../../src/scaleway/http.ts'
import { createPace } from '../../src/scaleway/pace.ts'
import { isDoubtful } from '../../src/scaleway/problems.ts'
import { createRefusals } from '../../src/scaleway/refusals.ts'
import { suite } from '../support/suite.ts'
import { type Answer, ok, serving } from './serving.ts'

const { test } = suite('scaleway/http')

const quick = { baseMs: 1, capMs: 5, attempts: 4, pace: createPace({ perSecond: 1000, atOnce: 64 }) }

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
    const error = await createHttpClient({ ...quick, attempts: 2, deadlineMs: 1000 })(`${url}/x`).catch(it => it)
    assert.ok(isDoubtful(error))
    assert.is(seen.length, 2)
    assert.ok(performance.now() - started < 20_000)
  }))

test('stops at once when interrupted', () =>
  serving([{ status: 503 }], async url => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    const client = createHttpClient({ baseMs: 60_000, signal: stop.signal })
    const started = performance.now()
    const error = await client(`${url}/x`).catch(it => it)
    assert.is(error.name, 'AbortError')
    assert.ok(performance.now() - started < 20_000)
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

test('a 503 with out_of_stock is not asked again', () =>
  serving([{ status: 503, body: '{"type":"out_of_stock","resource":"DEV1-M"}' }, ok], async (url, seen) => {
    assert.is((await createHttpClient(quick)(`${url}/x`, { method: 'PATCH', body: '{}' })).status, 503)
    assert.is(seen.length, 1)
  }))

test('waits until the date that Retry-After names', () => {
  const inOneSecond = new Date(Date.now() + 1500).toUTCString() // a date has whole seconds
  return serving([{ status: 503, headers: { 'retry-after': inOneSecond } }, ok], async (url, seen) => {
    await createHttpClient(quick)(`${url}/x`)
    assert.is(seen.length, 2)
    assert.ok(Date.now() >= Date.parse(inOneSecond) - 5, 'did not wait')
  })
})

test('a Retry-After beyond the cap is not waited for, and the note says when', () =>
  serving([{ status: 429, headers: { 'retry-after': '3600' } }, ok], async (url, seen) => {
    const notes: Note[] = []
    const client = createHttpClient({ ...quick, onNote: (_, note) => notes.push(note) })
    assert.is((await client(`${url}/x`)).status, 429)
    assert.is(seen.length, 1)
    const inMs = (notes[0]?.retryAt?.getTime() ?? 0) - Date.now()
    assert.ok(inMs > 3_590_000 && inMs <= 3_600_000)
  }))

test('a 429 holds back every other call too', async () => {
  const pace = createPace({ perSecond: 1000, atOnce: 64 })
  await serving([{ status: 429, headers: { 'retry-after': '1' } }, ok], async url => {
    const started = performance.now()
    const heard = Promise.withResolvers<void>()
    const first = createHttpClient({ ...quick, pace, onCall: () => heard.resolve() })(`${url}/x`)
    await heard.promise
    await createHttpClient({ ...quick, pace })(`${url}/other`)
    assert.ok(performance.now() - started >= 990, 'another client went on during the hold')
    await first
  })
})

test('never more calls under way than the pace allows', async () => {
  let open = 0
  let most = 0
  const slow: typeof fetch = async () => {
    most = Math.max(most, ++open)
    await new Promise(done => setTimeout(done, 10))
    open--
    return new Response('{}')
  }
  const client = createHttpClient({ fetch: slow, pace: createPace({ perSecond: 1000, atOnce: 3 }) })
  await Promise.all(Array.from({ length: 12 }, () => client('http://api.test/x')))
  assert.is(most, 3)
})

test('a pace lets no more than so many calls begin in any one second', async () => {
  const pace = createPace({ perSecond: 20, atOnce: 64 })
  const started = performance.now()
  const at = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const leave = await pace.enter()
      leave()
      return performance.now() - started
    }),
  )
  assert.ok(at[19]! < 900, `the first twenty took ${at[19]} ms`)
  for (const [index, ms] of at.slice(20).entries())
    assert.ok(ms - at[index]! > 600, `twenty-one calls within ${ms - at[index]!} ms`)
})

test('an interrupt ends the wait for a turn and gives the turn back', async () => {
  const pace = createPace({ perSecond: 1000, atOnce: 1 })
  const leave = await pace.enter()
  const stop = new AbortController()
  const waiting = pace.enter(stop.signal).catch(it => it.name)
  stop.abort()
  assert.is(await waiting, 'AbortError')
  leave()
  leave() // twice is once
  const [second, third] = [pace.enter(), pace.enter()]
  ;(await second)()
  ;(await third)()
})

test('when nothing answers any more, thirty reads give up together with one Problem', async () => {
  let calls = 0
  const dead: typeof fetch = async () => {
    calls++
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNRESET' }) })
  }
  const circuit = createCircuit({ tries: 5, withinMs: 100, restMs: 60_000 })
  const client = createHttpClient({ ...quick, attempts: 1000, baseMs: 20, capMs: 40, fetch: dead, circuit })
  const started = performance.now()
  const problems = await Promise.all(Array.from({ length: 30 }, () => client('http://api.test/x').catch(it => it)))
  assert.is(new Set(problems).size, 1)
  assert.instance(problems[0], Problem)
  assert.match(problems[0].why, /^http:\/\/api\.test: ECONNRESET, \d+ tries in \d+ s$/)
  assert.ok(isDoubtful(problems[0]))
  assert.ok(performance.now() - started < 20_000)
  const before = calls
  assert.is(await client('http://api.test/x').catch(it => it), problems[0])
  assert.is(calls, before, 'asked again at once')
})

test('an API that never answered is given up sooner than one that did', () => {
  const dead = () => new TypeError('fetch failed')
  const circuit = createCircuit({ tries: 2, withinMs: 60_000, firstMs: 0 })
  assert.is(circuit.silence(dead(), 'http://api.test/x'), null)
  assert.instance(circuit.silence(dead(), 'http://api.test/x'), Problem)
  circuit.answered()
  assert.is(circuit.heard(), true)
  for (let tries = 0; tries < 5; tries++) assert.is(circuit.silence(dead(), 'http://api.test/x'), null)
})

test('asks again after a rest, and goes on when it is answered', async () => {
  let alive = false
  const send: typeof fetch = async () => {
    if (alive) return new Response('{}')
    throw new TypeError('fetch failed')
  }
  const circuit = createCircuit({ tries: 2, withinMs: 0, restMs: 50 })
  const client = createHttpClient({ ...quick, fetch: send, circuit })
  assert.instance(await client('http://api.test/x').catch(it => it), Problem)
  alive = true
  await new Promise(done => setTimeout(done, 60))
  assert.is((await client('http://api.test/x')).status, 200)
})

const denied: Answer = {
  status: 403,
  body: '{"type":"permissions_denied","details":[{"action":"read","resource":"vpc"}]}',
}
const refusing = { lookingMs: 20_000, changingMs: 20_000 }

test('a 403 to what is only asked ahead stands at once', () => {
  const refusals = createRefusals(refusing)
  const asked = (path: string) => refusals.pause(new Request(`http://api.test${path}`))
  assert.is(asked('/account/v3/projects/x'), null)
  assert.is(asked('/marketplace/v2/images'), null)
  assert.is(asked('/instance/v1/zones/fr-par-1/products/servers'), null)
  assert.ok(asked('/instance/v1/zones/fr-par-1/servers'))
})

test('a 403 is asked again for a while, as a new policy takes its time', () =>
  serving([denied, denied, ok], async (url, seen) => {
    const said: string[] = []
    const client = createHttpClient({ ...quick, refusals: createRefusals(refusing), onWaiting: it => said.push(it) })
    assert.is((await client(`${url}/vpc/v2/regions/fr-par/vpcs`)).status, 200)
    assert.is(seen.length, 3)
    assert.equal(said, ['403 from vpc: a new policy takes up to two minutes'])
  }))

test('a run that only looks gives up on a 403 sooner than one that changes', () =>
  serving([denied], async url => {
    const refusals = createRefusals({ lookingMs: 500, changingMs: 3000 })
    const client = createHttpClient({ ...quick, refusals })
    const took = async (path: string, method: string) => {
      const started = performance.now()
      assert.is((await client(`${url}${path}`, { method })).status, 403)
      return performance.now() - started
    }
    const looking = await took('/vpc/v2/regions/fr-par/vpcs', 'GET')
    assert.ok(looking >= 490 && looking < 2900, `looked for ${looking} ms`)
    assert.ok((await took('/vpc/v2/regions/fr-par/vpcs', 'GET')) < 450, 'waited for the same refusal twice')
    const changing = await took('/ipam/v1/regions/fr-par/ips/x', 'DELETE')
    assert.ok(changing >= 2990, `changed for ${changing} ms`)
  }))

for (const { when, answer } of [
  { when: 'a 401', answer: { status: 401, body: '{"type":"denied_authentication"}' } },
  { when: 'a used-up quota', answer: { status: 403, body: '{"type":"quotas_exceeded","details":[]}' } },
  { when: 'a 403 without a type', answer: { status: 403, body: '{}' } },
  { when: 'a 400', answer: { status: 400, body: '{"type":"invalid_arguments"}' } },
])
  test(`${when} is never asked again`, () =>
    serving([answer, ok], async (url, seen) => {
      assert.is((await createHttpClient(quick)(`${url}/vpc/v2/regions/fr-par/vpcs`)).status, answer.status)
      assert.is(seen.length, 1)
    }))
