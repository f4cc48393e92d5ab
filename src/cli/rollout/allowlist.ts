import type { Moved, RolloutPhase } from '../../../playbooks/rollout.ts'
import type { Outcome } from '../../engine/apply.ts'
import { readJournals } from '../../engine/journal.ts'
import { gatesAt } from '../../rollout/gates/all.ts'
import type { Staged } from '../staged.ts'
import { applyStage, chosenIn, summaryOf } from '../stages.ts'
import { betweenJobs } from './between-jobs.ts'
import { askGates, type GateResult, isHeld, sideBySide, sweep } from './gates.ts'
import { hasPassed, type PhaseEnd, tell } from './phase.ts'
import { provedBefore } from './proved-before.ts'
import { groupOf } from './steps.ts'

/**
 * The last phase: every moved workload proves a new connection to its partner, and again after each entry that went.
 * Entries go one at a time; one that did not go, or that somebody misses, ends it.
 */
export const shrinkAllowlist = async (
  staged: Staged,
  phase: RolloutPhase,
  say: (line: string) => void,
): Promise<PhaseEnd> => {
  const { session } = staged
  const group = groupOf(phase.name)
  const ids = chosenIn(staged, phase)
  const outcome: Outcome = { plan: staged.plan, changes: new Map(), failures: [], skipped: [] }
  const end = (ok: boolean, summary: string, failed: GateResult[] = []): PhaseEnd => ({ ok, summary, outcome, failed })
  if (ids.length === 0) return end(true, 'left out')
  const moves = phase.proves ?? []
  // Of the others there is nothing to prove: a phase has passed for all of a run's tenants or for none.
  const tenants = session.context.tenants.map(it => it.tenant)
  const settled = ids.every(it => !staged.plan.seen.get(it)?.step)
  const proved = settled && hasPassed(readJournals(session.state), group, tenants)
  if (!proved) {
    const failed = await ask(staged, moves, say)
    if (failed[0]) return end(false, `gate failed: ${failed[0].gate}`, failed)
  }
  for (const id of ids) {
    const { plan, changes, failures, skipped } = await applyStage(staged, group, [id])
    for (const [step, change] of changes) outcome.changes.set(step, change)
    outcome.plan = plan
    outcome.failures.push(...failures)
    outcome.skipped.push(...skipped)
    if (failures.length + skipped.length > 0) return end(false, summaryOf(outcome))
    if (changes.get(id) === null) continue
    const failed = await ask(staged, moves, say)
    if (failed[0]) return end(false, `gate failed: ${failed[0].gate}`, failed)
  }
  session.journal.record({ event: 'note', topic: 'phase-passed', data: { group, tenants } })
  return end(true, `${summaryOf(outcome)}${proved ? '' : ', gates passed'}`)
}

const ask = async (staged: Staged, moves: readonly Moved[], say: (line: string) => void): Promise<GateResult[]> => {
  await sweep(staged, moves)
  const telling = tell(staged, say)
  const idle = await betweenJobs(staged, moves, provedBefore, say)
  const asks = moves
    .filter(it => !idle.has(it))
    .map(
      move => (enough: AbortSignal) => askGates(staged, move, gatesAt('allowlist', move.tenant), telling, { enough }),
    )
  return (await sideBySide(asks)).filter(it => !isHeld(it))
}
