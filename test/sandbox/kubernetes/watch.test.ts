import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fetch } from 'undici'
import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { createStore } from '../../../src/sandbox/kubernetes/objects/store.ts'
import { suite } from '../../support/suite.ts'
import type { World } from './world.ts'
import { createWorld, eventually } from './world.ts'

const { test, before, after } = suite('watches of the emulated API')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const url = '/api/v1/namespaces/default/configmaps'
const make = (name: string, labels: Loose = {}) =>
  world.call('POST', url, { metadata: { name, labels }, data: { a: '1' } })
const change = (name: string, body: Loose) => world.patch(`${url}/${name}`, 'merge-patch+json', body)

/** Collects events until it is closed; `over` tells when the server ended it. */
const watching = async (query: string) => {
  const stop = new AbortController()
  const events: Loose[] = []
  const { port, token } = world.state()
  const response = await fetch(`https://127.0.0.1:${port}${url}?watch=1&${query}`, {
    dispatcher: world.agent,
    headers: { authorization: `Bearer ${token}` },
    signal: stop.signal,
  })
  const over = (async () => {
    for await (const line of createInterface(Readable.fromWeb(response.body as Loose))) events.push(JSON.parse(line))
  })().catch((error: Error) => {
    if (error.name !== 'AbortError') throw error
  })
  const seen = () => events.map(it => `${it.type} ${it.object.metadata?.name ?? it.object.code}`)
  return { events, seen, over, close: () => stop.abort() }
}

test('goes on after the version of a list, and misses nothing', async () => {
  await make('first')
  const list = await world.call('GET', url)
  await make('second')
  await change('first', { data: { a: '2' } })
  const it = await watching(`resourceVersion=${list.body.metadata.resourceVersion}`)
  await world.call('DELETE', `${url}/second`)
  await eventually(() => it.events.length === 3, 'three events')
  assert.equal(it.seen(), ['ADDED second', 'MODIFIED first', 'DELETED second'])
  const versions = it.events.map(its => Number(its.object.metadata.resourceVersion))
  assert.equal(
    versions,
    [...versions].sort((a, b) => a - b),
  )
  it.close()
  await it.over
})

test('resumes from the last event it saw', async () => {
  const created = await make('resume')
  await change('resume', { data: { a: '2' } })
  const it = await watching(`resourceVersion=${created.body.metadata.resourceVersion}`)
  await eventually(() => it.events.length === 1, 'one event')
  assert.equal(it.seen(), ['MODIFIED resume'])
  it.close()
  await it.over
})

test('without a version the present ones come first', async () => {
  const it = await watching('fieldSelector=metadata.name%3Dresume')
  await eventually(() => it.events.length === 1, 'one event')
  assert.equal(it.seen(), ['ADDED resume'])
  it.close()
  await it.over
})

test('with a selector an object comes and goes as its labels change', async () => {
  await make('moves')
  const { resourceVersion } = (await world.call('GET', url)).body.metadata
  const it = await watching(`resourceVersion=${resourceVersion}&labelSelector=egress%3Dexternal`)
  await change('moves', { metadata: { labels: { egress: 'external' } } })
  await change('moves', { data: { a: '3' } })
  await change('moves', { metadata: { labels: { egress: null } } })
  await eventually(() => it.events.length === 3, 'three events')
  assert.equal(it.seen(), ['ADDED moves', 'MODIFIED moves', 'DELETED moves'])
  it.close()
  await it.over
})

test('ends after timeoutSeconds, with a bookmark', async () => {
  const it = await watching(
    'resourceVersion=0&timeoutSeconds=1&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnone',
  )
  await it.over
  assert.is(it.events.length, 1)
  assert.is(it.events[0].type, 'BOOKMARK')
  assert.is(it.events[0].object.metadata.resourceVersion, (await world.call('GET', url)).body.metadata.resourceVersion)
})

test('a version that is forgotten gets 410, and the stream ends', async () => {
  await world.restart()
  const it = await watching('resourceVersion=5')
  await it.over
  assert.equal(it.seen(), ['ERROR 410'])
  assert.is(it.events[0].object.reason, 'Expired')
})

test('the store forgets beyond its history', () => {
  const store = createStore({ history: 2 })
  assert.is(store.since(store.version).length, 0)
  store.compact()
  assert.throws(() => store.since(store.version - 1), /too old resource version/)
})
