import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { createFollower, type Eye, joined } from '../../src/rollout/kube/follow.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import type { Selection, WatchEvent } from '../../src/rollout/kube/watch.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/kube-follow')

type Event = WatchEvent<KubeObject>

/** Watches that say what the test says, and which are open. */
const cluster = (refuses: (what: Selection) => boolean = () => false) => {
  const open = new Map<string, (event: Event) => void>()
  const log: string[] = []
  const watch = async function* (what: Selection, { signal }: { signal: AbortSignal }): AsyncGenerator<Event> {
    const name = what.namespace ?? '*'
    log.push(name)
    if (refuses(what)) throw new Error('forbidden')
    const waiting: Event[] = []
    let wake: () => void = () => undefined
    const hear = (event: Event) => {
      waiting.push(event)
      wake()
    }
    open.set(name, hear)
    const closed = once(signal, 'abort')
    while (!signal.aborted) {
      const event = waiting.shift()
      if (event) yield event
      else {
        const said = new Promise<void>(resolve => {
          wake = resolve
        })
        await Promise.race([said, closed])
      }
    }
    if (open.get(name) === hear) open.delete(name)
  }
  return { ...createFollower(watch), open, log }
}

const pod = (namespace: string, name: string): Event => ({
  type: 'MODIFIED',
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name } },
})
const pods = (namespace: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace })
const { signal } = new AbortController()
/** Did it see something, at once? */
const sees = async (eye: Eye) => {
  const began = performance.now()
  await eye.next(5000, signal)
  return performance.now() - began < 2500
}
const called =
  (name: string) =>
  ({ metadata }: KubeObject) =>
    metadata.name === name
const turn = () => new Promise(resolve => setTimeout(resolve, 0))

test('an eye sees what concerns it, also what came before it was asked', async () => {
  const { follow, open, close } = cluster()
  const [a, b] = [follow(pods('n'), called('a')), follow(pods('n'), called('b'))]
  open.get('n')?.(pod('n', 'a'))
  await turn()
  assert.ok(await sees(a))
  a.clear()
  const next = sees(a)
  open.get('n')?.(pod('n', 'a'))
  assert.ok(await next)
  await b.next(1, signal)
  const late = sees(b)
  open.get('n')?.({ type: 'MISSED' })
  assert.ok(await late, 'what was missed may concern anybody')
  close()
})

test('one watch of a namespace, one of the cluster from the second namespace on, until it is closed', async () => {
  const { follow, open, log, close } = cluster()
  const first = Array.from({ length: 20 }, (_, at) => follow(pods('n'), called(`p${at}`)))
  assert.equal(log, ['n'])
  const other = follow(pods('m'), called('p1'))
  await turn()
  assert.equal([...open.keys()], ['*'])
  open.get('*')?.(pod('m', 'p1'))
  await turn()
  assert.ok(await sees(other))
  let seen = false
  void first[1]?.next(200, signal).then(() => {
    seen = true
  })
  await turn()
  assert.not.ok(seen, 'a name in another namespace is another pod')
  for (const it of [...first, other]) it.close()
  await turn()
  const later = follow(pods('n'), called('p1'))
  open.get('*')?.(pod('n', 'p1'))
  await turn()
  assert.ok(await sees(later))
  assert.equal(log, ['n', '*'])
  close()
  await turn()
  assert.equal([...open.keys()], [])
})

test('an eye on a second namespace sees it when the first one is shut', async () => {
  const { follow, open, log, close } = cluster()
  follow(pods('n'), called('a')).close()
  const other = follow(pods('m'), called('a'))
  await turn()
  assert.equal([[...open.keys()], log], [['*'], ['n', '*']])
  open.get('*')?.(pod('m', 'a'))
  await turn()
  assert.ok(await sees(other))
  close()
})

test('whoever may not watch the cluster watches its namespaces', async () => {
  const { follow, open, close } = cluster(it => it.namespace === undefined)
  follow(pods('n'), called('a'))
  const other = follow(pods('m'), called('b'))
  await turn()
  await turn()
  assert.equal([...open.keys()].sort(), ['m', 'n'])
  open.get('m')?.(pod('m', 'b'))
  await turn()
  assert.ok(await sees(other))
  close()
})

test('a watch that is refused or silent ends no waiting: the time does', async () => {
  const { follow, close, log } = cluster(() => true)
  const eye = follow(pods('n'), called('a'))
  await eye.next(20, signal)
  follow(pods('n'), called('b'))
  await turn()
  assert.equal(log, ['n'], 'the next eye does not ask again at once')
  close()
})

test('an interrupt ends waiting, also of several eyes as one', async () => {
  const { follow, close } = cluster()
  const both = joined([follow(pods('n'), called('a')), follow(pods('n'), called('b'))])
  const thrown = await both.next(60_000, AbortSignal.timeout(20)).catch(it => it)
  assert.is(thrown.name, 'TimeoutError')
  both.close()
  close()
})
