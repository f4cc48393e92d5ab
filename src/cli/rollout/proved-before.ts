import type { Moved } from '../../../playbooks/rollout.ts'
import type { Recorded } from '../../engine/journal.ts'
import { partnerAnswers } from '../../rollout/gates/partner-answers.ts'
import { calledAs } from '../../rollout/workload.ts'
import { egressName } from '../../rollout/workload-egress.ts'
import type { GateResult } from './gates.ts'

/** Did the partner let this workload in, since it was last moved and its list last opened? */
export const provedBefore = (history: readonly Recorded[], move: Moved): boolean =>
  heldSince(history, move, {
    gates: [partnerAnswers.name],
    steps: [`allowlist-addition/${move.tenant.tenant}`],
    held: it => it.verdict.verdict === 'pass',
  })

/** Did each of these gates hold of the workload when it was asked last, since it was last moved or one of `steps` done? */
export const heldSince = (
  history: readonly Recorded[],
  { tenant, workload }: Moved,
  {
    gates,
    steps = [],
    held,
  }: { gates: readonly string[]; steps?: readonly string[]; held: (it: GateResult) => boolean },
): boolean => {
  const anew = [`workload-egress/${egressName(tenant.namespace, workload)}`, ...steps]
  const passed = new Set<string>()
  for (const it of history) {
    if ((it.event === 'started' || it.event === 'undone') && anew.includes(it.step)) passed.clear()
    if (it.event !== 'note' || it.topic !== 'gate') continue
    const result = it.data as unknown as GateResult
    if (result.tenant !== tenant.tenant || result.workload !== calledAs(workload)) continue
    if (held(result)) passed.add(result.gate)
    else passed.delete(result.gate)
  }
  return gates.every(it => passed.has(it))
}
