import type { Moved } from '../../../playbooks/rollout.ts'
import { gatesAt } from '../../rollout/gates/all.ts'
import { EGRESS_LABEL } from '../../rollout/manifests.ts'
import { egressAddress } from '../../rollout/probe.ts'
import { kindOf, readWorkload, templateOf } from '../../rollout/workloads/read.ts'
import type { Staged } from '../staged.ts'
import { askGates, type GateResult, isHeld, kubeOf, sideBySide, subjectOf, sweep, type Telling } from './gates.ts'

/** Those that nobody has moved yet. Asked now: on a first run the plan was made before there was a cluster. */
export const notMoved = async (staged: Staged, moves: readonly Moved[]): Promise<Moved[]> => {
  const labels = await Promise.all(
    moves.map(async ({ tenant: { namespace }, workload }) => {
      const found = await readWorkload(kubeOf(staged), { namespace, ...workload })
      return found && templateOf(found, kindOf(workload)).metadata?.labels?.[EGRESS_LABEL.key]
    }),
  )
  return moves.filter((_, at) => labels[at] === undefined || labels[at] === null)
}

/** The address a tenant is seen with before anything of it has moved: for the table at the end. */
export const noteAddresses = async (staged: Staged, moves: readonly Moved[]): Promise<void> => {
  await Promise.all(
    moves.map(async move => {
      const address = await egressAddress(kubeOf(staged), subjectOf(staged, move)).catch(() => null)
      const data = { tenant: move.tenant.tenant, address }
      staged.session.journal.record({ event: 'note', topic: 'address-before', data })
    }),
  )
}

/** Nothing moves before a pod of ours has shown what the label does. Answers what did not hold. */
export const tryPolicy = async (staged: Staged, moves: readonly Moved[], telling: Telling): Promise<GateResult[]> => {
  if (moves.length === 0) return []
  await sweep(staged, moves)
  const asks = moves.map(
    move => (enough: AbortSignal) => askGates(staged, move, gatesAt('ahead', move.tenant), telling, { enough }),
  )
  return (await sideBySide(asks)).filter(it => !isHeld(it))
}
