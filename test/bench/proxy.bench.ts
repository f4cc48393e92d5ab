import type { Lab } from './proxy/lab.ts'
import { openLab, ours, zone } from './proxy/lab.ts'
import type { Order, Result } from './proxy/load.ts'
import type { Bench } from './run.ts'

const shortest = `acl clients src 192.0.2.0/24
http_access allow clients`
const others = {
  // As packages ship it: a log daemon writes a line a request.
  3129: `${shortest}\naccess_log daemon:/var/log/squid/other-3129.log squid`,
  3130: `${shortest}\naccess_log none`,
}
const goal = 0.95
const rounds = Number(process.env.EGRESS_BENCH_ROUNDS ?? 24)
const ms = 350

type Scene = { title: string; what: Order['what']; connections: number; names: string[] }
const many = Array.from({ length: 500 }, (_, n) => `n${n}.${zone}`)
const scenes: Scene[] = [
  { title: 'GET, 1 client', what: 'get', connections: 1, names: [`a.${zone}`] },
  { title: 'GET, 50 clients', what: 'get', connections: 50, names: [`a.${zone}`] },
  { title: 'GET, 50 clients, 500 names', what: 'get', connections: 50, names: many },
  { title: 'tunnel + GET, 1 client', what: 'tunnel', connections: 1, names: [`a.${zone}`] },
  { title: 'tunnel + GET, 50 clients', what: 'tunnel', connections: 50, names: [`a.${zone}`] },
  { title: 'tunnel + GET, 50 clients, 500 names', what: 'tunnel', connections: 50, names: many },
]

/** Our Squid, its helper and audit log included, against the shortest configuration of the same Squid, by turns. */
export const proxy: Bench = async () => {
  const lab = await openLab(others)
  try {
    const rows: string[][] = []
    for (const scene of scenes) rows.push(await measure(lab, scene))
    const direct = await ask(lab, { ...scenes[1]!, what: 'direct' }, 80, '203.0.113.10')
    return {
      title: `Through our configuration and the shortest one, ${rounds} rounds by turns (medians)`,
      head: [
        'what',
        'ours /s',
        'shortest /s',
        'ratio (>= 0.95)',
        'no log /s',
        'ratio',
        'us of CPU',
        'shortest',
        'no log',
        'p50 / p99 ms',
        'shortest',
      ],
      rows,
      notes: [
        `without a proxy, 50 clients: ${(direct.done / direct.seconds).toFixed(0)}/s, so the load is not the limit`,
        'shortest: http_port, one acl, allow, and the access log that the package writes; no log: access_log none',
        'us of CPU: of Squid, its helper and its log daemon, for one request (lower quartile); ratios are medians of each round',
      ],
    }
  } finally {
    await lab.down()
  }
}

const ask = async (
  lab: Lab,
  { what, connections, names }: Scene,
  port: number,
  host = lab.address,
): Promise<Result> => {
  const result = await lab.load.run({ host, port, what, connections, names, ms })
  if (result.failed) throw new Error(`${result.failed} of ${result.done} on port ${port} failed: ${result.because}`)
  return result
}

const ports = [ours, 3129, 3130]

const measure = async (lab: Lab, scene: Scene): Promise<string[]> => {
  const perSecond = new Map<number, number[]>(ports.map(it => [it, []]))
  const cpu = new Map<number, number[]>(ports.map(it => [it, []]))
  const latest = new Map<number, Result[]>(ports.map(it => [it, []]))
  for (const port of ports) await ask(lab, scene, port)
  for (let round = 0; round < rounds; round++) {
    // Who begins changes, so that what passes over the machine meets each.
    for (const port of [...ports.slice(round % 3), ...ports.slice(0, round % 3)]) {
      const before = cpuOf(lab, port)
      const result = await ask(lab, scene, port)
      cpu.get(port)!.push(((cpuOf(lab, port) - before) * 1000) / result.done)
      perSecond.get(port)!.push(result.done / result.seconds)
      latest.get(port)!.push(result)
    }
  }
  const rate = (port: number) => median(perSecond.get(port)!).toFixed(0)
  const ratio = (port: number) => median(perSecond.get(ours)!.map((it, round) => it / perSecond.get(port)![round]!))
  const took = (port: number) =>
    (['p50', 'p99'] as const).map(it => median(latest.get(port)!.map(result => result[it])).toFixed(2)).join(' / ')
  const main = ratio(3129)
  return [
    scene.title,
    rate(ours),
    rate(3129),
    `${main.toFixed(3)}${main < goal ? ' (missed)' : ''}`,
    rate(3130),
    ratio(3130).toFixed(3),
    ...ports.map(it => quartile(cpu.get(it)!).toFixed(0)),
    took(ours),
    took(3129),
  ]
}

const cpuOf = (lab: Lab, port: number) =>
  Object.values(lab.spent().get(port) ?? {}).reduce((all, it) => all + it.cpuMs, 0)

export const median = (all: number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!

/** What else runs on the machine adds to a request, and never takes away. */
const quartile = (all: number[]): number => all.toSorted((a, b) => a - b)[all.length >> 2]!
