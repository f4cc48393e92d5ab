import type { Moved } from '../../playbooks/rollout.ts'
import type { Recorded } from '../engine/journal.ts'
import { partnerAnswers } from '../rollout/gates/partner-answers.ts'
import { calledAs } from '../rollout/workload.ts'
import { egressName } from '../rollout/workload-egress.ts'
import type { GateResult } from './gates.ts'

/** Did the partner let this workload in, since it was last moved and its list last opened? */
export const provedBefore = (history: readonly Recorded[], { tenant, workload }: Moved): boolean => {
  const steps = [`workload-egress/${egressName(tenant.namespace, workload)}`, `allowlist-addition/${tenant.tenant}`]
  let proved = false
  for (const it of history) {
    if ((it.event === 'started' || it.event === 'undone') && steps.includes(it.step)) proved = false
    if (it.event !== 'note' || it.topic !== 'gate') continue
    const { gate, verdict, ...of } = it.data as unknown as GateResult
    if (gate === partnerAnswers.name && of.tenant === tenant.tenant && of.workload === calledAs(workload))
      proved = verdict.verdict === 'pass'
  }
  return proved
}
