import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import type { Cut, Spent } from './power.ts'
import { type Counted, type Death, openRange, type Range, survive, type Trial } from './trial.ts'

/** Together they cut a run with 12 workloads everywhere; each is about three minutes of one core. */
export const SHARES = 16

/** The cuts number `share`, `share` + 16, ... as tests of this file. */
export const cutShare = (share: number): void => {
  const name = `rollout, whole: share ${share} of ${SHARES} of all cuts`
  const { test, before, after } = suite(name, { seconds: 880 })
  let range: Range
  before(async () => {
    range = await openRange('whole')
  })
  after(() => range?.fleet.close())
  test('after every journal line and every call, there and back, it comes to the same objects', async () => {
    const trials = everyCut(range).filter((_, at) => at % SHARES === share - 1)
    await endure(range, trials)
  })
}

/** One after the other. Cuts that came too late are few, or nothing was shown. */
export const endure = async (range: Range, trials: readonly Trial[]): Promise<void> => {
  const began = Date.now()
  const asked: Record<string, number> = {}
  const made: Record<string, number> = {}
  for (const trial of trials) {
    for (const it of [trial.there, trial.again, trial.back]) if (it) count(asked, it)
    for (const it of await survive(range, trial)) count(made, it)
  }
  const total = sum(made)
  const parts = Object.entries(made).map(([what, many]) => `${many} ${what}`)
  const seconds = Math.round((Date.now() - began) / 1000)
  console.log(`counted, ${trials.length} rollouts with ${total} cuts, after ${parts.join(', ')}, in ${seconds} s`)
  assert.ok(total > 0 && total >= sum(asked) * 0.9, `${total} of ${sum(asked)} cuts were made`)
}

/**
 * After each line, write, call about the Lease and read: gone on with, and then cut on the way back; and taken back at
 * once. A read changes nothing, so that only each third is gone on with.
 */
export const everyCut = ({ there, back }: Range): Trial[] => {
  const home = backCuts(back)
  let at = 0
  const on = (cut: Cut): Trial => ({ there: cut, back: home[at++ % home.length]!, resumed: true })
  const off = (cut: Cut): Trial => ({ there: cut, resumed: false })
  const changing = [...cutsAt('lines', there), ...cutsAt('writes', there), ...cutsAt('leads', there)]
  const reading = cutsAt('reads', there)
  return [...changing.flatMap(it => [on(it), off(it)]), ...reading.map((it, n) => (n % 3 === 0 ? on(it) : off(it)))]
}

/** Every one of a way back. */
const backCuts = (back: Spent): Cut[] =>
  (['lines', 'writes', 'leads', 'reads'] as const).flatMap(what => cutsAt(what, back))

export const cutsAt = (what: keyof Spent, spent: Spent): Cut[] =>
  Array.from({ length: spent[what] }, (_, at) => ({ [what]: at + 1 }))

/** At the first line, and the first write, of each sort: by SIGKILL. */
export const killsOf = ({ sorts }: Counted): Death[] =>
  (['lines', 'writes'] as const).flatMap(what =>
    sorts[what].flatMap((it, at) =>
      sorts[what].indexOf(it) === at ? [{ [what]: at + 1, really: true as const }] : [],
    ),
  )

const count = (counts: Record<string, number>, { really: _, ...it }: Death): void => {
  for (const what of Object.keys(it)) counts[what] = (counts[what] ?? 0) + 1
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, it) => all + it, 0)
