import { table } from '../../src/report/table.ts'

/** `npm run bench [-- NAME...] [--seed N]`: every bench, or those named. Figures are of this machine, today. */

export type Figures = { title: string; head: string[]; rows: string[][]; notes?: string[] }
/** `seed`: where a bench rolls dice, so that what it found can be found again. */
export type Bench = (options: { seed: number | undefined }) => Promise<Figures>

const benches: Record<string, () => Promise<Bench>> = {
  plan: async () => (await import('./plan.bench.ts')).plan,
  apply: async () => (await import('./apply.bench.ts')).apply,
  hosts: async () => (await import('./hosts/hosts.bench.ts')).hosts,
  many: async () => (await import('./hosts/many.bench.ts')).many,
  faults: async () => (await import('./faults.bench.ts')).faults,
  memory: async () => (await import('./memory.bench.ts')).memory,
  truth: async () => (await import('./truth.bench.ts')).truth,
  failover: async () => (await import('./failover.bench.ts')).failover,
  kills: async () => (await import('./kills.bench.ts')).killing,
  proxy: async () => (await import('./proxy.bench.ts')).proxy,
  'proxy-lists': async () => (await import('./proxy-lists.bench.ts')).proxyLists,
  'proxy-certificates': async () => (await import('./proxy-certificates.bench.ts')).proxyCertificates,
  rollout: async () => (await import('./rollout.bench.ts')).rollout,
  restore: async () => (await import('./restore.bench.ts')).restore,
  'proxy-changes': async () => (await import('./proxy-changes.bench.ts')).proxyChanges,
}

const main = async (args: string[]) => {
  const at = args.indexOf('--seed')
  const seed = at < 0 ? undefined : Number(args[at + 1])
  if (seed !== undefined && !Number.isInteger(seed)) throw new Error('--seed takes a whole number')
  const names = args.filter((_, index) => at < 0 || (index !== at && index !== at + 1))
  const unknown = names.filter(it => !(it in benches))
  if (unknown.length > 0) throw new Error(`no bench is named ${unknown.join(', ')}: there are ${Object.keys(benches)}`)
  for (const name of names.length > 0 ? names : Object.keys(benches)) {
    const bench = await benches[name]!()
    const { title, head, rows, notes = [] } = await bench({ seed })
    console.log(`\n${name}: ${title}\n${table(head, rows)}`)
    for (const note of notes) console.log(`  ${note}`)
  }
}

await main(process.argv.slice(2))
