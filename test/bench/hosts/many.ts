import { text } from 'node:stream/consumers'
import { applyPlan } from '../../../src/engine/apply.ts'
import { noJournal } from '../../../src/engine/journal.ts'
import { makePlan, throwAll } from '../../../src/engine/plan.ts'
import type { HostAddress } from '../../../src/hosts/address.ts'
import { play } from '../../../src/hosts/play.ts'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'

/** `node many.ts < ADDRESSES`: two files on every host, planned and applied as the commands do, as one process. */
const addresses = JSON.parse(await text(process.stdin)) as HostAddress[]
const ssh = createSsh({ bootSeconds: 20 })
const signal = new AbortController().signal
const world = { clientsFor: () => ({ ssh }), journal: noJournal('bench'), watch() {}, stop: signal, abort: signal }
const rights = { mode: '0644', owner: 'root', group: 'root' }
const files = ['a', 'b'].map(
  (it): Task => ({ task: 'file', path: `/etc/many/${it}`, content: 'x'.repeat(4096), ...rights }),
)
const plan = await makePlan(
  addresses.map(host => play(host.name, { host, tasks: files, handlers: {} })),
  world,
)
const outcome = await applyPlan(plan, 'configure', world)
throwAll(outcome.failures.map(it => it.error))
await ssh.close()
process.stdout.write(JSON.stringify({ megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }))
