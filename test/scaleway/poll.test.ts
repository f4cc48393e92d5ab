import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { createLists } from '../../src/scaleway/lists.ts'
import { makeOnce } from '../../src/scaleway/make.ts'
import { arrive, become, insist, until } from '../../src/scaleway/poll.ts'
import { isTransient, orNull } from '../../src/scaleway/problems.ts'
import { states } from '../../src/scaleway/states.ts'
import { isOurs, nameIn, tagsOf, theOne } from '../../src/scaleway/tags.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/poll')

const reporter = () => {
  const said: string[] = []
  return { said, waiting: (what: string) => said.push(what), signal: new AbortController().signal }
}
const showing = (all: (string | null)[]) => {
  let looks = 0
  return { looks: () => looks, look: async () => all[Math.min(looks++, all.length - 1)] as string | null }
}
const refused = (status: number, body: object = {}) => Object.assign(new Error(String(status)), { status, body })

for (const { when, saw, of, good, patienceMs, ends } of [
  { when: 'good at the first look', saw: ['ready'], of: 'pool', ends: 'ready' },
  { when: 'good after a while', saw: ['scaling', 'upgrading', 'ready'], of: 'pool', ends: 'ready' },
  { when: 'gone', saw: ['deleting', null], of: 'gateway', good: ['gone'], ends: null },
  {
    when: 'not stopped by a bad word on its way out',
    saw: ['failed', null],
    of: 'gateway',
    good: ['gone'],
    ends: null,
  },
  {
    when: 'failed in passing',
    saw: ['failed', 'configuring', 'running'],
    of: 'gateway',
    patienceMs: 500,
    ends: 'running',
  },
  { when: 'failed for good', saw: ['failed'], of: 'gateway', patienceMs: 100, ends: /it is failed/ },
  { when: 'locked', saw: ['locked'], of: 'cluster', ends: /it is locked/ },
  { when: 'slow', saw: ['creating'], of: 'cluster', ends: /it is still creating/ },
  { when: 'in a state that nobody knows', saw: ['rebalancing', 'ready'], of: 'pool', ends: 'ready' },
  { when: 'in such a state for ever', saw: ['rebalancing'], of: 'pool', ends: /it is still rebalancing/ },
  { when: 'a cluster without a pool', saw: ['creating', 'pool_required'], of: 'cluster', ends: 'pool_required' },
  { when: 'a leg without a MAC address', saw: ['created', 'ready'], of: 'gatewayNetwork', ends: 'ready' },
] as {
  when: string
  saw: (string | null)[]
  of: keyof typeof states
  good?: string[]
  patienceMs?: number
  ends: string | null | RegExp
}[])
  test(`waits for what is ${when}`, async () => {
    const report = reporter()
    const { look } = showing(saw)
    const wait = {
      what: 'it',
      look,
      state: (it: string) => it,
      states: states[of],
      withinMs: ends instanceof RegExp ? 600 : 20_000,
    }
    const outcome = await until(report, { ...wait, ...(good && { good }), ...(patienceMs && { patienceMs }) }).catch(
      it => it,
    )
    if (ends instanceof RegExp) {
      assert.instance(outcome, Problem)
      assert.match(outcome.message, ends)
    } else assert.is(outcome, ends)
    const said = saw[0] === 'rebalancing' ? 'rebalancing (a state unknown here)' : saw[0]
    if (saw.length > 1) assert.is(report.said[0], `it: ${said}`)
  })

test('the first look comes at once, the next ones soon', async () => {
  const started = performance.now()
  const { look } = showing(['scaling', 'scaling', 'ready'])
  await until(reporter(), { what: 'x', look, state: it => it, states: states.pool, withinMs: 20_000 })
  assert.ok(performance.now() - started < 5000)
})

test('what must be there and is not is a Problem', async () => {
  const { look } = showing([null])
  const wait = { what: 'x', look, state: (it: string) => it, states: states.pool, withinMs: 5000, goneMs: 50 }
  assert.match((await become(reporter(), wait).catch(it => it)).message, /x is gone/)
})

test('what is not to be seen yet after it was made is waited for', async () => {
  const { look } = showing([null, null, 'ready'])
  const wait = { what: 'x', look, state: (it: string) => it, states: states.pool, withinMs: 5000 }
  assert.is(await become(reporter(), wait), 'ready')
})

for (const { when, error } of [
  { when: '503', error: refused(503) },
  { when: '429', error: refused(429) },
  { when: 'no answer', error: new TypeError('fetch failed') },
]) {
  const stumbling = (times: number) => {
    let looks = 0
    return async () => {
      if (looks++ < times) throw error
      return 'ready'
    }
  }
  const wait = { what: 'pool x', state: (it: string) => it, states: states.pool }
  test(`a look that gets ${when} does not end a wait`, async () => {
    const report = reporter()
    assert.is(await become(report, { ...wait, look: stumbling(3), withinMs: 5000 }), 'ready')
    assert.is(report.said[0], 'pool x: the API does not answer')
  })
  test(`a look that only ever gets ${when} ends a wait at its deadline`, async () => {
    const outcome = await become(reporter(), { ...wait, look: stumbling(1000), withinMs: 300 }).catch(it => it)
    assert.is(outcome, error)
  })
}

test('what was changed is waited for, not only the word for its state', async () => {
  let looks = 0
  const report = reporter()
  const look = async () => ({ status: 'ready', size: ++looks < 4 ? 1 : 2 })
  const wait = {
    what: 'pool x',
    look,
    state: (it: { status: string }) => it.status,
    states: states.pool,
    withinMs: 5000,
  }
  assert.is((await arrive(report, { ...wait, arrived: it => it.size === 2 })).size, 2)
  assert.ok(report.said.includes('pool x: not changed yet'))
  const never = { ...wait, arrived: () => false, arrivesMs: 100 }
  assert.is((await arrive(reporter(), never)).size, 2, 'given back as it is')
})

test('a look that is refused ends a wait at once', async () => {
  const wait = { what: 'x', look: () => Promise.reject(refused(403)), state: () => '', states: states.pool }
  assert.is((await until(reporter(), { ...wait, withinMs: 5000 }).catch(it => it)).status, 403)
})

test('an interrupt ends a wait at once', async () => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 20)
  const report = { waiting: () => undefined, signal: stop.signal }
  const { look } = showing(['scaling'])
  const wait = { what: 'x', look, state: (it: string) => it, states: states.pool, withinMs: 60_000 }
  assert.is((await until(report, wait).catch(it => it)).name, 'AbortError')
})

test('insists on what passes and on nothing else', async () => {
  let tries = 0
  const act = async () => {
    if (++tries < 3) throw refused(409, { type: 'transient_state' })
    return tries
  }
  assert.is(await insist(reporter(), { what: 'x', act, passing: isTransient, withinMs: 5000 }), 3)
  const never = insist(reporter(), {
    what: 'x',
    act: () => Promise.reject(refused(400)),
    passing: isTransient,
    withinMs: 5000,
  })
  assert.is((await never.catch(it => it)).status, 400)
})

for (const { when, exists, effect, error, made, ends } of [
  { when: 'there already', exists: true, effect: true, error: null, made: 0, ends: 'it' },
  { when: 'not there', exists: false, effect: true, error: null, made: 1, ends: 'it' },
  {
    when: 'made by a POST whose answer was lost',
    exists: false,
    effect: true,
    error: new TypeError('fetch failed'),
    made: 1,
    ends: 'it',
  },
  { when: 'not made by a POST that got 500', exists: false, effect: false, error: refused(500), made: 2, ends: 500 },
  { when: 'refused', exists: false, effect: false, error: refused(403), made: 1, ends: 403 },
] as { when: string; exists: boolean; effect: boolean; error: Error | null; made: number; ends: string | number }[])
  test(`makes once what is ${when}`, async () => {
    let world = exists ? 'it' : null
    let posts = 0
    const make = async () => {
      posts++
      if (effect) world = 'it'
      if (error) throw error
      return 'it'
    }
    const outcome = await makeOnce(reporter(), { look: async () => world, make, tries: 2 }).catch(it => it.status)
    assert.is(posts, made)
    assert.is(outcome, ends)
  })

test('not there is an answer', async () => {
  assert.is(await orNull(Promise.reject(refused(404))), null)
  assert.is((await orNull(Promise.reject(refused(403))).catch(it => it)).status, 403)
})

const here = { context: 'sandbox' }
const thing = (id: string, tags: string[]) => ({ id, tags })
for (const { when, all, ends } of [
  { when: 'none', all: [], ends: null },
  { when: 'one', all: [thing('a', tagsOf(here, 'proxy'))], ends: 'a' },
  { when: 'a longer name', all: [thing('a', tagsOf(here, 'proxy-2'))], ends: null },
  { when: 'another context', all: [thing('a', tagsOf({ context: 'sandbox2' }, 'proxy'))], ends: null },
  { when: 'our owner tag lost', all: [thing('a', ['egress-name=proxy', 'egress-context=sandbox'])], ends: 'a' },
  { when: 'our context alone', all: [thing('a', ['egress-context=sandbox'])], ends: null },
  { when: 'our context lost', all: [thing('a', ['kapsule-egress', 'egress-name=proxy'])], ends: null },
  { when: 'tags of others beside ours', all: [thing('a', ['team=x', ...tagsOf(here, 'proxy')])], ends: 'a' },
  {
    when: 'twins',
    all: [thing('a', tagsOf(here, 'proxy')), thing('b', tagsOf(here, 'proxy'))],
    ends: /a https.* and b https/,
  },
] as { when: string; all: { id: string; tags: string[] }[]; ends: string | null | RegExp }[])
  test(`identity: ${when}`, () => {
    const look = () => theOne(here, 'server', 'proxy', all)?.id ?? null
    if (!(ends instanceof RegExp)) return assert.is(look(), ends)
    assert.throws(look, (it: Problem) => it instanceof Problem && ends.test(it.why))
  })

test('a name that would break a tag is refused', () => {
  assert.throws(() => tagsOf(here, 'a,b'), /cannot be part of a tag/)
  assert.ok(isOurs(here, { tags: tagsOf(here, 'x') }))
  assert.is(nameIn(tagsOf(here, 'x')), 'x')
})

test('lists are shared until something is written, and a failure is not kept', async () => {
  const lists = createLists()
  let loads = 0
  const load = async () => ++loads
  assert.equal(
    await Promise.all([lists.shared('a', load), lists.shared('a', load), lists.shared('b', load)]),
    [1, 1, 2],
  )
  lists.forget()
  assert.is(await lists.shared('a', load), 3)
  await lists.shared('c', () => Promise.reject(new Error('no'))).catch(() => undefined)
  assert.is(await lists.shared('c', load), 4)
})
