import { calmly, type Survived, survive } from './faults.ts'
import type { Bench } from './run.ts'

const runs = 300
const tenants = 1
/** Mostly waiting, so many at once. */
const side = 12

/** Runs in bad weather and what stands after a clean one; with `--seed` only that one, told in full. */
export const faults: Bench = async ({ seed }) => {
  const expected = await calmly(tenants)
  const first = seed ?? 1
  const seeds = Array.from({ length: seed === undefined ? runs : 1 }, (_, at) => first + at)
  const all: Survived[] = []
  const next = seeds.values()
  const worker = async () => {
    // One in ten are real processes that get a real SIGKILL.
    for (const it of next) all.push(await survive(it, { tenants, expected, processes: it % 10 === 0 }))
  }
  await Promise.all(Array.from({ length: side }, worker))
  const ends = all.flatMap(it => it.ends)
  const ended = (word: string) => `${ends.filter(it => it.includes(`: ${word}`)).length}`
  const lines = (sign: string) => all.flatMap(it => it.wrong).filter(it => it.startsWith(sign)).length
  const bad = all.filter(it => it.wrong.length > 0)
  if (bad.length > 0) process.exitCode = 1
  return {
    title: `Runs with a fifth of the calls failing, kills and stale reads, each followed by a clean run and a destroy`,
    head: [
      'seeds',
      'troubled runs',
      'done',
      'failed',
      'killed',
      'too many',
      'missing',
      'left by destroy',
      'seeds lost',
    ],
    rows: [
      [
        `${first}-${first + seeds.length - 1}`,
        ...[`${ends.length}`, ended('done'), ended('failed'), ended('killed')],
        ...[`${lines('+')}`, `${lines('-')}`, `${lines('left by destroy')}`, `${bad.length}`],
      ],
    ],
    notes: [
      ...bad.map(it => `npm run bench -- faults --seed ${it.seed}: ${it.wrong[0]?.split('\n')[0]}`),
      ...(seed === undefined ? [] : all.flatMap(it => [...it.ends, ...it.wrong])),
    ],
  }
}
