import type { Moved, RolloutPhase } from '../../../playbooks/rollout.ts'
import { type Recorded, readJournals } from '../../engine/journal.ts'
import type { Staged } from '../staged.ts'
import { liveOf } from './gates.ts'

/** What a note of a passed phase says. `workloads`: ids of their steps; older journals have only the tenants. */
export type PhasePassed = { group: string; tenants: string[]; workloads?: string[] }

/**
 * Workloads of other phases that carry the label although no gate has passed since: a run that was killed left them,
 * and the inventory moves them in another order by now.
 */
export const unverifiedElsewhere = (staged: Staged, phase: RolloutPhase): Moved[] => {
  const { session, site } = staged
  const mine = new Set(phase.desired.map(it => it.id))
  const isVerified = verifiedIn(readJournals(session.state))
  return site.phases.flatMap(({ moves, desired }) =>
    moves.filter((move, at) => {
      const { id } = desired[at]!
      if (mine.has(id) || (liveOf(staged, id)?.label ?? null) === null) return false
      return !isVerified(id, move.tenant.tenant)
    }),
  )
}

/**
 * Has a gate passed for a workload since it was last moved? By the id of its step, in whatever phase that was: phases
 * get other members with each `--limit` and each change of the inventory.
 */
export const verifiedIn = (history: readonly Recorded[]): ((id: string, tenant: string) => boolean) => {
  const known = new Map<string, { group?: string; by: Set<string> | 'all' }>()
  for (const it of history) {
    if (it.event === 'started') known.set(it.step, { group: it.group, by: new Set() })
    else if (it.event === 'undone') known.delete(it.step)
    else if (it.event === 'note' && it.topic === 'phase-passed') {
      const { group, tenants, workloads } = it.data as PhasePassed
      for (const id of workloads ?? []) known.set(id, { by: 'all' })
      if (!workloads)
        for (const of of known.values())
          if (of.group === group && of.by !== 'all') for (const tenant of tenants) of.by.add(tenant)
    }
  }
  return (id, tenant) => {
    const { by } = known.get(id) ?? {}
    return by === 'all' || by?.has(tenant) === true
  }
}
