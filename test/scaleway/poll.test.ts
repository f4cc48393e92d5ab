import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { createLists } from '../../src/scaleway/lists.ts'
import { makeOnce } from '../../src/scaleway/make.ts'
import { become, insist, until } from '../../src/scaleway/poll.ts'
import { isTransient, orNull } from '../../src/scaleway/problems.ts'
import { isOurs, nameIn, tagsOf, theOne } from '../../src/scaleway/tags.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/poll')

const reporter = () => {
  const said: string[] = []
  return { said, waiting: (what: string) => said.push(what), signal: new AbortController().signal }
}
const states = (all: (string | null)[]) => {
  let looks = 0
  return { looks: () => looks, look: async () => all[Math.min(looks++, all.length - 1)] as string | null }
}
const refused = (status: number, body: object = {}) => Object.assign(new Error(String(status)), { status, body })

for (const { when, seen, good, bad, patienceMs, ends } of [
  { when: 'good at the first look', seen: ['ready'], good: ['ready'], ends: 'ready' },
  { when: 'good after a while', seen: ['creating', 'scaling', 'ready'], good: ['ready'], ends: 'ready' },
  { when: 'gone', seen: ['deleting', null], good: ['gone'], ends: null },
  {
    when: 'failed in passing',
    seen: ['failed', 'configuring', 'running'],
    good: ['running'],
    bad: ['failed'],
    patienceMs: 500,
    ends: 'running',
  },
  {
    when: 'failed for good',
    seen: ['failed'],
    good: ['running'],
    bad: ['failed'],
    patienceMs: 100,
    ends: /gateway egress is failed/,
  },
  { when: 'locked', seen: ['locked'], good: ['ready'], bad: ['locked'], ends: /gateway egress is locked/ },
  { when: 'slow', seen: ['creating'], good: ['ready'], ends: /gateway egress is still creating/ },
] as {
  when: string
  seen: (string | null)[]
  good: string[]
  bad?: string[]
  patienceMs?: number
  ends: string | null | RegExp
}[])
  test(`waits for what is ${when}`, async () => {
    const report = reporter()
    const { look } = states(seen)
    const wait = { what: 'gateway egress', look, state: (it: string) => it, good, withinMs: 600 }
    const outcome = await until(report, { ...wait, ...(bad && { bad }), ...(patienceMs && { patienceMs }) }).catch(
      it => it,
    )
    if (ends instanceof RegExp) {
      assert.instance(outcome, Problem)
      assert.match(outcome.message, ends)
    } else assert.is(outcome, ends)
    if (seen.length > 1) assert.is(report.said[0], `gateway egress: ${seen[0]}`)
  })

test('the first look comes at once, the next ones soon', async () => {
  const started = performance.now()
  await until(reporter(), { what: 'x', ...states(['a', 'a', 'b']), state: it => it, good: ['b'], withinMs: 5000 })
  assert.ok(performance.now() - started < 1000)
})

test('what must be there and is not is a Problem', async () => {
  const wait = {
    what: 'x',
    ...states([null]),
    state: (it: string) => it,
    good: ['ready'],
    withinMs: 5000,
    patienceMs: 50,
  }
  assert.match((await become(reporter(), wait).catch(it => it)).message, /x is gone/)
})

test('an interrupt ends a wait at once', async () => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 20)
  const report = { waiting: () => undefined, signal: stop.signal }
  const wait = { what: 'x', ...states(['a']), state: (it: string) => it, good: ['b'], withinMs: 60_000 }
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
  { when: 'half our tags', all: [thing('a', ['egress-name=proxy', 'egress-context=sandbox'])], ends: null },
  { when: 'tags of others beside ours', all: [thing('a', ['team=x', ...tagsOf(here, 'proxy')])], ends: 'a' },
  { when: 'twins', all: [thing('a', tagsOf(here, 'proxy')), thing('b', tagsOf(here, 'proxy'))], ends: /a and b/ },
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
