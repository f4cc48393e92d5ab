import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fetch } from 'undici'
import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import type { Conditions, Effect, On } from '../../../src/sandbox/kubernetes/wire/conditions.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: weather')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const door = '/emulator/conditions'
const url = '/api/v1/namespaces/default/configmaps'
const make = (name: string) => world.call('POST', url, { metadata: { name }, data: { a: '1' } })
const read = (name: string) => world.call('GET', `${url}/${name}`)
const during = async (conditions: Conditions, work: () => Promise<void>) => {
  assert.is((await world.call('PUT', door, conditions)).code, 200)
  try {
    await work()
  } finally {
    await world.call('DELETE', door)
  }
}
const once = (on: On, effect: Effect): Conditions => ({ faults: [{ on, times: 1, do: effect }] })
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    thrown => thrown.cause?.code ?? thrown.name,
  )

test('the door is for the admin, shows what is set, and refuses what it does not understand', async () => {
  assert.equal((await world.call('GET', door)).body, {})
  const bad = { fautls: [], faults: [{ do: {} }, { do: { cut: 'later' }, on: { method: 'GET' } }] }
  const refused = await world.call('PUT', door, bad)
  assert.is(refused.code, 400)
  for (const said of [
    /no fautls/,
    /faults\[0\].do needs one of/,
    /faults\[1\].do.cut must be/,
    /faults\[1\].on has no method/,
  ])
    assert.match(refused.body.message, said)
  const jane = { 'impersonate-user': 'jane' }
  assert.is((await world.call('PUT', door, { seed: 1 }, jane)).code, 403)
  assert.is((await world.call('GET', '/emulator/nothing')).code, 404)
  const set = await world.kubectl('replace --raw /emulator/conditions -f -', '{"seed":3}')
  assert.is(set.exitCode, 0, set.stderr as string)
  assert.equal((await world.call('GET', door)).body, { seed: 3 })
  await world.call('DELETE', door)
})

for (const { effect, code, reason, says, retryAfter } of [
  { effect: { status: 409 }, code: 409, reason: 'Conflict', says: 'Operation cannot be fulfilled on configmaps "a"' },
  { effect: { status: 429 }, code: 429, reason: 'TooManyRequests', says: 'Too many requests', retryAfter: '1' },
  { effect: { status: 429, retryAfterSeconds: 7 }, code: 429, reason: 'TooManyRequests', retryAfter: '7' },
  { effect: { status: 500 }, code: 500, reason: 'InternalError', says: 'etcdserver' },
  { effect: { status: 503 }, code: 503, reason: 'ServiceUnavailable', says: 'currently unable' },
  { effect: { status: 504, message: 'slow' }, code: 504, reason: 'Timeout', says: 'slow' },
])
  test(`a refusal of the weather: ${JSON.stringify(effect)}`, () =>
    during(once({ verb: 'get', resource: 'configmaps', name: 'a' }, effect), async () => {
      assert.is((await read('b')).code, 404, 'others are left alone')
      const { port, token } = world.state()
      const answer = await fetch(`https://127.0.0.1:${port}${url}/a`, {
        dispatcher: world.agent,
        headers: { authorization: `Bearer ${token}` },
      })
      const body = (await answer.json()) as Loose
      assert.is(answer.status, code)
      assert.is(body.reason, reason)
      assert.match(body.message, says ?? '')
      assert.is(answer.headers.get('retry-after'), retryAfter ?? null)
      assert.is((await read('a')).code, 404, 'it hits once')
    }))

for (const { effect, isThere } of [
  { effect: { status: 500 }, isThere: false },
  { effect: { status: 504, after: true }, isThere: true },
  { effect: { cut: 'before' }, isThere: false },
  { effect: { cut: 'after' }, isThere: true },
  { effect: { hang: 'before', ms: 50 }, isThere: false },
  { effect: { hang: 'after', ms: 50 }, isThere: true },
] as { effect: Effect; isThere: boolean }[])
  test(`${isThere ? 'the effect happens' : 'nothing happens'}: ${JSON.stringify(effect)}`, async () => {
    const name = `w-${Object.values(effect).join('-')}`
    await during(once({ verb: 'create', resource: 'configmaps', name: 'w-*' }, effect), async () => {
      const said = await make(name).then(
        it => it.code,
        () => 'cut',
      )
      assert.is(said, 'status' in effect ? effect.status : 'cut')
    })
    assert.is((await read(name)).code, isThere ? 200 : 404)
  })

test('the nth call, a rate by a seed, latency', async () => {
  const codes = async (count: number) => {
    const found: number[] = []
    for (let n = 0; n < count; n++) found.push((await read('none')).code)
    return found
  }
  const third = { on: { verb: 'get' }, skip: 2, times: 1, do: { status: 500 } }
  await during({ faults: [third] }, async () => assert.equal(await codes(4), [404, 404, 500, 404]))
  const some = { seed: 5, faults: [{ chance: 0.5, do: { status: 500 } }] }
  let first: number[] = []
  await during(some, async () => {
    first = await codes(20)
  })
  await during(some, async () => assert.equal(await codes(20), first, 'the same seed, the same calls'))
  assert.ok(new Set(first).size === 2, String(first))
  await during({ faults: [{ do: { latencyMs: 80 } }] }, async () => {
    const began = performance.now()
    await codes(1)
    assert.ok(performance.now() - began >= 75)
  })
})

const watching = async (query = '') => {
  const { port, token } = world.state()
  const response = await fetch(`https://127.0.0.1:${port}${url}?watch=1&${query}`, {
    dispatcher: world.agent,
    headers: { authorization: `Bearer ${token}` },
  })
  const events: Loose[] = []
  const over = (async () => {
    for await (const line of createInterface(Readable.fromWeb(response.body as Loose))) events.push(JSON.parse(line))
  })().then(
    () => 'ended',
    () => 'cut',
  )
  return { events, over }
}
const since = async () => `resourceVersion=${(await world.call('GET', url)).body.metadata.resourceVersion}`

test('a watch is cut, told 410, late, or says nothing more', async () => {
  const hit = (watch: Loose) => ({ faults: [{ on: { resource: 'configmaps' }, times: 1, do: { watch } }] })
  await during(hit({ cutAfterMs: 30 }), async () => assert.is(await (await watching(await since())).over, 'cut'))
  await during(hit({ expired: true }), async () => {
    const it = await watching(await since())
    assert.is(await it.over, 'ended')
    assert.equal([it.events[0].type, it.events[0].object.code, it.events[0].object.reason], ['ERROR', 410, 'Expired'])
  })
  await during(hit({ lateMs: 100 }), async () => {
    const it = await watching(`${await since()}&timeoutSeconds=5`)
    const began = performance.now()
    await make('late')
    await eventually(() => it.events.length === 1, 'it comes')
    assert.ok(performance.now() - began >= 95)
    await it.over
  })
  await during(hit({ silentAfterMs: 0 }), async () => {
    const it = await watching(`${await since()}&timeoutSeconds=1&allowWatchBookmarks=true`)
    await make('unseen')
    assert.is(await it.over, 'ended')
    assert.is(it.events.length, 0)
  })
})

test('after a compaction an old version is gone', async () => {
  const old = await since()
  await make('newer')
  await world.call('POST', '/emulator/compact')
  const it = await watching(old)
  await it.over
  assert.is(it.events[0].object.code, 410)
})

test('sendInitialEvents brings what is there and a bookmark, and needs to be asked for rightly', async () => {
  const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1'
  const it = await watching(query)
  await eventually(() => it.events.some(its => its.type === 'BOOKMARK'), 'the bookmark')
  const bookmark = it.events.find(its => its.type === 'BOOKMARK')
  assert.is(bookmark.object.metadata.annotations['k8s.io/initial-events-end'], 'true')
  assert.is((await world.call('GET', `${url}?watch=1&sendInitialEvents=true`)).code, 422)
  await it.over
})

test('a restart cuts every connection, and versions go on', async () => {
  const before = (await make('kept')).body.metadata
  const it = await watching(await since())
  assert.is((await world.call('POST', '/emulator/restart', { downMs: 200 })).code, 200)
  assert.is(await it.over, 'cut')
  await eventually(async () => (await failure(read('kept'))) === 'answered', 'it is up')
  assert.is((await read('kept')).body.metadata.uid, before.uid)
  const later = (await make('later')).body.metadata
  assert.ok(Number(later.resourceVersion) > Number(before.resourceVersion))
  const again = await watching(`resourceVersion=${before.resourceVersion}&timeoutSeconds=1`)
  await again.over
  assert.equal(
    again.events.map(its => its.object.metadata.name),
    ['later'],
  )
})

test('calls are counted by verb and resource', async () => {
  await world.call('DELETE', '/emulator/calls')
  await read('a')
  await read('b')
  await world.call('GET', '/api/v1/pods')
  await make('counted')
  assert.equal((await world.call('GET', '/emulator/calls')).body, {
    'get configmaps': 2,
    'list pods': 1,
    'create configmaps': 1,
  })
})

test('an exec can be refused too', () =>
  during(once({ resource: 'pods/exec' }, { status: 500 }), async () => {
    await world.call('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'tool' },
      spec: { containers: [{ name: 'main', image: 'demo:1' }] },
    })
    await eventually(
      async () =>
        (await world.call('GET', '/api/v1/namespaces/default/pods/tool')).body.status?.containerStatuses?.[0]?.ready,
      'it runs',
    )
    const first = await world.kubectl('exec tool -- true')
    assert.is(first.exitCode, 1, first.stderr as string)
    assert.is((await world.kubectl('exec tool -- true')).exitCode, 0)
  }))
