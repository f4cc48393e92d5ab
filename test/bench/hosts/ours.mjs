import { enableCompileCache } from 'node:module'

enableCompileCache()
const { readFileSync } = await import('node:fs')
const { applyPlan } = await import('../../../src/engine/apply.ts')
const { noJournal } = await import('../../../src/engine/journal.ts')
const { makePlan, throwAll } = await import('../../../src/engine/plan.ts')
const { play } = await import('../../../src/hosts/play.ts')
const { createSsh } = await import('../../../src/hosts/ssh.ts')
const { tasksFor } = await import('./job.ts')

/**
 * `node ours.mjs WISH`: plans and applies as the commands do, as one process; prints how many hosts were changed. As
 * theirs, its first file is JavaScript: nothing is compiled that is in the cache.
 * @type {import('./lab.ts').Wish[]}
 */
const wishes = JSON.parse(readFileSync(String(process.argv[2]), 'utf8'))
const ssh = createSsh({ bootSeconds: 20 })
const signal = new AbortController().signal
const world = {
  clientsFor: () => ({ ssh }),
  journal: noJournal('bench'),
  watch() {},
  stop: signal,
  abort: signal,
}
const plan = await makePlan(
  wishes.map(({ host, files }) => play(host.name, { host, ...tasksFor(files) })),
  world,
)
const outcome = await applyPlan(plan, 'configure', world)
throwAll(outcome.failures.map(it => it.error))
await ssh.close()
process.stdout.write(
  JSON.stringify({
    changed: [...plan.seen.values()].filter(it => it.step).length,
    megabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
