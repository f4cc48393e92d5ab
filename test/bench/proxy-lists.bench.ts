import { setTimeout as sleep } from 'node:timers/promises'
import { type Lab, openLab, ours, policyOf, zone } from './proxy/lab.ts'
import type { Result } from './proxy/load.ts'
import { median } from './proxy.bench.ts'
import type { Bench } from './run.ts'

const other = 3129
const rounds = Number(process.env.EGRESS_BENCH_ROUNDS ?? 7)

/** Allowlists of three sizes: what they add to a request, what they weigh, and how soon a change decides. */
export const proxyLists: Bench = async () => {
  const lab = await openLab({ [other]: 'acl clients src 192.0.2.0/24\nhttp_access allow clients\naccess_log none' })
  try {
    const rows: string[][] = []
    for (const size of [10, 1000, 100_000]) rows.push(await measure(lab, size))
    return {
      title: 'Allowlists by size, GET by 4 clients, beside the shortest configuration without a log',
      head: [
        'entries',
        'p50 ms, shortest, added',
        'p99 ms, shortest, added',
        'Squid MB',
        'helper MB',
        'change decides after s (< 2)',
        'slowest request meanwhile ms (< 100)',
      ],
      rows,
      notes: [
        '500 names (or all of 10) in turn; a change: one more name, over SSH, from the beginning of the writing on the',
        'host to the first line of the audit log with the new revision, while 10 clients ask',
      ],
    }
  } finally {
    await lab.down()
  }
}

const measure = async (lab: Lab, size: number): Promise<string[]> => {
  const list = Array.from({ length: size }, (_, n) => `host-${n}.part-${n % 97}.${zone}`)
  const names = list.filter((_, n) => n % Math.max(1, size / 500) === 0)
  await lab.install(policyOf(list), 'policy')
  const ask = async (port: number, connections: number, ms: number): Promise<Result> => {
    const result = await lab.load.run({ host: lab.address, port, what: 'get', connections, names, ms })
    if (result.failed) throw new Error(`${result.failed} of ${result.done} on port ${port} failed: ${result.because}`)
    return result
  }
  const took = new Map<number, Result[]>([ours, other].map(it => [it, []]))
  for (const port of [ours, other]) await ask(port, 4, 500)
  for (let round = 0; round < rounds; round++)
    for (const port of round % 2 ? [ours, other] : [other, ours]) took.get(port)!.push(await ask(port, 4, 700))
  const added = (share: 'p50' | 'p99') => {
    const [mine, shortest] = [ours, other].map(port => median(took.get(port)!.map(it => it[share])))
    return `${mine!.toFixed(2)}, ${shortest!.toFixed(2)}, ${(mine! - shortest!).toFixed(2)}`
  }
  const change = await applied(lab, [...list, `one-more-${size}.${zone}`], ask)
  const weighs = lab.spent().get(ours)!
  return [
    size.toLocaleString('en'),
    added('p50'),
    added('p99'),
    weighs.squid!.rssMb.toFixed(0),
    weighs['policy-helper']!.rssMb.toFixed(0),
    change.seconds.toFixed(2),
    change.worstMs.toFixed(0),
  ]
}

/** How long the new revision took to decide a request, and the slowest request from before until after that. */
const applied = async (
  lab: Lab,
  list: string[],
  ask: (port: number, clients: number, ms: number) => Promise<Result>,
) => {
  const was = lab.host.sh('readlink /etc/squid/egress/client-a.policy').trim()
  const from = Number(lab.host.sh('wc -l </var/log/squid/audit.log'))
  let [done, worstMs] = [false, 0]
  const asking = (async () => {
    while (!done) worstMs = Math.max(worstMs, (await ask(ours, 10, 1500)).worst)
  })()
  await sleep(500)
  try {
    const began = await lab.install(policyOf(list), 'policy')
    // Answers of before are kept for two seconds at the most.
    await sleep(2500)
    done = true
    await asking
    return { seconds: (firstDecision(lab, was, from) - began) / 1000, worstMs }
  } finally {
    done = true
  }
}

/** When the first line after so many was written that the next revision decided. */
const firstDecision = (lab: Lab, was: string, from: number): number => {
  const revision = lab.host
    .sh('readlink /etc/squid/egress/client-a.policy')
    .trim()
    .match(/\d+-[0-9a-f]{8}/)![0]
  if (was.includes(revision)) throw new Error(`still revision ${revision}`)
  const line = lab.host.sh(`tail -n +${from + 1} /var/log/squid/audit.log | grep -m 1 '"revision":"${revision}"'`)
  return Date.parse(JSON.parse(line).time)
}
