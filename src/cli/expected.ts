import { type CriticalPath, criticalPath } from '../engine/critical-path.ts'
import { millis } from '../engine/duration.ts'
import type { Json } from '../engine/json.ts'
import type { Tenant } from '../inventory/context.ts'
import { gatesAt, type Moment } from '../rollout/gates/all.ts'
import { secondsOf } from '../rollout/gates/gate.ts'
import { isCanary } from '../rollout/phases.ts'
import type { Staged } from './staged.ts'
import { pendingOf } from './stages.ts'

/** How long what is pending takes, with the gates and soaks of each phase that moves something. */
export const expectedTime = (staged: Staged): CriticalPath => {
  const pending = new Set(pendingOf(staged).flatMap(it => (it.step ? [it.step.id] : [])))
  const extra = staged.site.phases.flatMap(phase => {
    const { name, moves, desired } = phase
    const soaks = name === 'gateway' || isCanary(phase) ? [] : moves.map(it => millis(it.tenant.rollout.then.soak))
    const soak = Math.max(0, ...soaks) / 1000
    const tenants = new Set(moves.map(it => it.tenant))
    const ahead = isCanary(phase) ? longest('ahead', tenants) : 0
    const asked =
      name === 'gateway' ? longest('gateway', staged.session.context.tenants) : ahead + longest('moved', tenants)
    const seconds = asked + (soak > 0 ? soak + longest('soaked', tenants) : 0)
    return desired.map(it => [it.id, seconds + drainOf(it.want)] as const)
  })
  return criticalPath(staged.plan.seen, pending, new Map(extra))
}

/** What an entry of a partner's list waits for before it goes. */
const drainOf = (want: Json): number => millis((want as { drain?: string }).drain ?? '0s') / 1000

/** One after the other for a workload, and all workloads at once. */
const longest = (moment: Moment, tenants: Iterable<Tenant>): number =>
  Math.max(0, ...[...tenants].map(tenant => gatesAt(moment, tenant).reduce((sum, it) => sum + secondsOf(it), 0)))
