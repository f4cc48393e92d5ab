import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import type { Cut, Spent } from './power.ts'
import { type Counted, type Death, type Range, survive, type Trial } from './trial.ts'

type Open = Range & { close?: () => Promise<void> }

/** The rollouts number `share`, `share` + `of`, ... as a test of this file. */
export const shareOut = (
  what: string,
  open: () => Promise<Open>,
  trials: (range: Range) => Trial[],
  { share, of }: { share: number; of: number },
): void => {
  const { test, before, after } = suite(`rollout, ${what}: share ${share} of ${of}`, { seconds: 3500 })
  let range: Open
  before(async () => {
    range = await open()
  })
  after(() => (range?.close ?? range?.fleet.close)?.())
  test('cut and gone on with, or taken back, it comes to the same objects', async () => {
    await endure(
      range,
      trials(range).filter((_, at) => at % of === share - 1),
    )
  })
}

/** One after the other. Cuts that came too late are few, or nothing was shown. */
export const endure = async (range: Range, trials: readonly Trial[]): Promise<void> => {
  const began = Date.now()
  const asked: Record<string, number> = {}
  const made: Record<string, number> = {}
  for (const trial of trials) {
    for (const it of [trial.there ?? {}, trial.again ?? {}, trial.back ?? {}]) count(asked, it)
    for (const it of await survive(range, trial)) count(made, it)
  }
  const total = sum(made)
  const parts = Object.entries(made).map(([what, many]) => `${many} ${what}`)
  const seconds = Math.round((Date.now() - began) / 1000)
  console.log(`counted, ${trials.length} rollouts with ${total} cuts, after ${parts.join(', ')}, in ${seconds} s`)
  assert.ok(total > 0 && total >= sum(asked) * 0.9, `${total} of ${sum(asked)} cuts were made`)
}

/** After each line, write and call about the Lease: gone on with, and then cut on the way back; and taken back at once. */
export const changeCuts = ({ there, back }: Range): Trial[] => {
  const home = backCuts(back)
  const all = [...cutsAt('lines', there), ...cutsAt('writes', there)]
  // How often the Lease is looked at depends on how long it takes: no other share is to count on it.
  const late = cutsAt('leads', there)
  return [
    ...all.map((cut, at) => onAndBack(cut, home, at)),
    ...all.map(atOnce),
    ...late.flatMap((cut, at) => [onAndBack(cut, home, all.length + at), atOnce(cut)]),
  ]
}

/** After each read, which changes nothing: taken back at once, and each third gone on with. */
export const readCuts = ({ there, back }: Range): Trial[] => {
  const home = backCuts(back)
  return cutsAt('reads', there).map((cut, at) => (at % 3 === 0 ? onAndBack(cut, home, at / 3) : atOnce(cut)))
}

const onAndBack = (there: Cut, home: Cut[], at: number): Trial => ({
  ...{ there, resumed: true },
  back: home[at % home.length]!,
})

const atOnce = (there: Cut): Trial => ({ there, resumed: false })

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
