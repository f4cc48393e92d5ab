import type { Moved } from '../../../playbooks/rollout.ts'
import type { Recorded } from '../../engine/journal.ts'
import { gatesAt, type OurGate } from '../../rollout/gates/all.ts'
import { podsReady } from '../../rollout/gates/pods-ready.ts'
import { egressName } from '../../rollout/workload-egress.ts'
import type { Staged } from '../staged.ts'
import { askGates, type GateResult, isHeld, sideBySide, type Telling } from './gates.ts'
import type { Noted } from './restarts.ts'

/** What a run has moved so far and did not take back, each with its pods' restarts before the first move. */
export const movedSoFar = (history: readonly Recorded[], run: string): Noted[] => {
  const found = new Map<string, Noted>()
  for (const it of history) {
    if (it.event === 'undone') found.delete(it.step)
    if (it.run !== run || it.event !== 'note' || it.topic !== 'restarts-before') continue
    const noted = it.data as Noted
    if (!noted.moves) continue
    const step = `workload-egress/${egressName(noted.moves.namespace, noted.moves)}`
    if (!found.has(step)) found.set(step, noted)
  }
  return [...found.values()]
}

/**
 * Looks once at the pods of what moved earlier: those that crash since, as `podsReady` counts it. Who cannot tell
 * says nothing: what a phase has to prove its own gates ask.
 */
export const crashedSince = async (
  staged: Staged,
  earlier: readonly Noted[],
  { onResult }: Telling,
): Promise<GateResult[]> => {
  const isCrash = (it: GateResult) => !isHeld(it) && it.verdict.verdict === 'fail'
  const telling: Telling = { onResult: it => void (isCrash(it) && onResult(it)) }
  const asks = earlier.flatMap(({ tenant: name, moves, restarts }) => {
    const tenant = staged.session.context.tenants.find(it => it.tenant === name)
    if (!tenant || !moves) return []
    const move: Moved = { tenant, workload: { kind: moves.kind, name: moves.name } }
    const gates = gatesAt('soaked', tenant)
      .filter(it => it.name === podsReady.name)
      .map(once)
    return [(enough: AbortSignal) => askGates(staged, move, gates, telling, { restartsBefore: restarts, enough })]
  })
  return (await sideBySide(asks)).filter(isCrash)
}

const once = (gate: OurGate): OurGate => ({
  ...gate,
  ...{ count: 1, initialDelay: '0s', failureLimit: 0, inconclusiveLimit: 0, consecutiveErrorLimit: 0 },
})
