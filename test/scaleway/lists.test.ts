import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { createLists } from '../../src/scaleway/lists.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('scaleway/lists')

/** A list that takes 20 ms and tells the how-manieth it was; `fails`: which of them fail. */
const slow = (fails: number[] = []) => {
  let count = 0
  return async () => {
    const mine = ++count
    await sleep(20)
    if (fails.includes(mine)) throw new Error(`list ${mine} failed`)
    return mine
  }
}

test('shared: one list until something is written, another after a failure or when it is old', async () => {
  const lists = createLists({ maxAgeMs: 60 })
  const load = slow([3])
  const ask = () => lists.shared('server', load)
  assert.equal(await Promise.all([ask(), ask()]), [1, 1])
  lists.forget()
  assert.is(await ask(), 2)
  lists.forget()
  const failed = await ask().catch(error => error)
  assert.match(failed.message, 'list 3 failed')
  assert.is(await ask(), 4)
  await sleep(80)
  assert.is(await ask(), 5)
})

test('shared: its age counts from the answer', async () => {
  const lists = createLists({ maxAgeMs: 10 })
  const { promise, resolve } = Promise.withResolvers<number>()
  const first = lists.shared('server', () => promise)
  await sleep(30)
  const second = lists.shared('server', slow())
  resolve(7)
  assert.equal(await Promise.all([first, second]), [7, 7])
})

test('next: never a list that began before it was asked for, and one for all who ask meanwhile', async () => {
  const lists = createLists()
  const load = slow()
  const ask = () => lists.next('server', load)
  const first = ask()
  await sleep(5)
  const second = [ask(), ask(), ask()]
  assert.is(await first, 1)
  assert.equal(await Promise.all(second), [2, 2, 2])
  assert.is(await ask(), 3)
  assert.is(await lists.next('other', slow()), 1)
})

test('next: a failure is told to those who share it, and to nobody later', async () => {
  const lists = createLists()
  const load = slow([1])
  const ask = () => lists.next('server', load)
  const first = ask()
  await sleep(5)
  const second = ask()
  assert.match(await first.catch(error => error.message), 'list 1 failed')
  assert.is(await second, 2)
})

test('next: a list that hangs holds up nobody for longer than a second', async () => {
  const lists = createLists()
  void lists.next('server', () => new Promise(() => {}))
  await sleep(5)
  const began = performance.now()
  assert.is(await lists.next('server', slow()), 1)
  const ms = performance.now() - began
  assert.ok(ms > 900 && ms < 25_000, `${ms} ms`)
})
