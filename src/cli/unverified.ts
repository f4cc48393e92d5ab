import type { Moved, RolloutPhase } from '../../playbooks/rollout.ts'
import { type Recorded, readJournals } from '../engine/journal.ts'
import { liveOf } from './gates.ts'
import type { Staged } from './staged.ts'

/** What a note of a passed phase says. `workloads`: ids of their steps; older journals have only the tenants. */
export type PhasePassed = { group: string; tenants: string[]; workloads?: string[] }

/**
 * Workloads of other phases that carry the label although no gate has passed since: a run that was killed left them,
 * and the inventory moves them in another order by now.
 */
export const unverifiedElsewhere = (staged: Staged, phase: RolloutPhase): Moved[] => {
  const { session, site } = staged
  const mine = new Set(phase.desired.map(it => it.id))
  const history = readJournals(session.state)
  return site.phases.flatMap(({ moves, desired }) =>
    moves.filter((move, at) => {
      const { id } = desired[at]!
      if (mine.has(id) || (liveOf(staged, id)?.label ?? null) === null) return false
      return !isVerified(history, id, move.tenant.tenant)
    }),
  )
}

/** Has a gate passed for this workload since it was last moved? */
export const isVerified = (history: readonly Recorded[], id: string, tenant: string): boolean => {
  let verified = false
  let group: string | undefined
  for (const it of history) {
    if (it.event === 'started' && it.step === id) {
      group = it.group
      verified = false
    } else if (it.event === 'undone' && it.step === id) verified = false
    else if (it.event === 'note' && it.topic === 'phase-passed') {
      const passed = it.data as PhasePassed
      verified ||= passed.workloads?.includes(id) ?? (passed.group === group && passed.tenants.includes(tenant))
    }
  }
  return verified
}
