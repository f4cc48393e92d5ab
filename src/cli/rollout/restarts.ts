import type { Moved, RolloutPhase } from '../../../playbooks/rollout.ts'
import type { Recorded } from '../../engine/journal.ts'
import { baselineOf } from '../../rollout/rollout-state.ts'
import { calledAs, type WorkloadRef } from '../../rollout/workload.ts'
import { readRollout } from '../../rollout/workloads/read.ts'
import type { Staged } from '../staged.ts'
import { kubeOf } from './gates.ts'

/** `moves`: the workload itself. */
export type Noted = {
  group: string
  tenant: string
  workload: string
  restarts: Record<string, number>
  moves?: WorkloadRef & { namespace: string }
}

/** Writes down how often the pods of what is about to move have restarted so far. */
export const noteRestarts = async (staged: Staged, { moves, desired }: RolloutPhase, group: string): Promise<void> => {
  const moving = moves.filter((_, at) => staged.plan.seen.get(desired[at]!.id)?.step)
  await Promise.all(
    moving.map(async ({ tenant, workload }) => {
      const rollout = await readRollout(kubeOf(staged), { namespace: tenant.namespace, ...workload })
      if (!rollout) return
      const restarts = Object.fromEntries(baselineOf(rollout))
      const moves = { namespace: tenant.namespace, kind: workload.kind, name: workload.name }
      const data: Noted = { group, tenant: tenant.tenant, workload: calledAs(workload), restarts, moves }
      staged.session.journal.record({ event: 'note', topic: 'restarts-before', data })
    }),
  )
}

/** As noted before the move whose gates have not passed yet, also by a run that was killed; undefined: not known. */
export const restartsBefore = (
  history: readonly Recorded[],
  group: string,
  { tenant, workload }: Moved,
): Record<string, number> | undefined => {
  let found: Record<string, number> | undefined
  for (const it of history) {
    if (it.event === 'undone' && it.step === `workload-egress/${tenant.namespace}/${calledAs(workload)}`)
      found = undefined
    if (it.event !== 'note') continue
    if (it.topic === 'restarts-before') {
      const noted = it.data as Noted
      const mine = noted.group === group && noted.tenant === tenant.tenant && noted.workload === calledAs(workload)
      // A run that goes on after a kill notes again: what counts is what was before the first.
      if (mine) found ??= noted.restarts
    } else if (it.topic === 'phase-passed') {
      const passed = it.data as { group: string; tenants: string[] }
      if (passed.group === group && passed.tenants.includes(tenant.tenant)) found = undefined
    }
  }
  return found
}
