import { type Losses, twoProxies } from '../support/two-proxies.ts'
import type { Bench } from './run.ts'

const kills = 20
const vanishes = 10

/** One of two proxies goes, again and again, under the load of clients that try again. */
export const failover: Bench = async () => {
  const two = twoProxies()
  try {
    const { code, stderr } = await two.checkout.run('deploy.mjs')
    if (code !== 0) throw new Error(stderr.slice(-2000))
    await two.becomes(true, true)
    const killed = await two.killByTurns(kills)
    const vanished = await two.vanish(vanishes)
    return {
      title: 'One of two proxies goes, under 20 clients that try again; ms, the slowest request of each loss',
      head: [
        'what',
        'times',
        'requests',
        'tried again',
        'lost',
        'noticed p50',
        'worst',
        'succeeded p50',
        'worst (< 1000)',
      ],
      rows: [rowOf('kill -9', killed), rowOf('vanished, 500 ms a try', vanished)],
    }
  } finally {
    await two.remove()
  }
}

const rowOf = (what: string, { out, worst, loads }: Losses): string[] => {
  const sum = (count: (it: Losses['loads'][number]) => number) => loads.reduce((all, it) => all + count(it), 0)
  const counts = [out.length, sum(it => it.asked), sum(it => it.slow.length), sum(it => it.lost)]
  return [what, ...[...counts, median(out), Math.max(...out), median(worst), Math.max(...worst)].map(String)]
}

const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
