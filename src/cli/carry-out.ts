import type { RolloutPhase } from '../../playbooks/rollout.ts'
import type { StageName } from '../../playbooks/site.ts'
import { type Outcome, takeDown, textOf } from '../engine/apply.ts'
import { readJournals } from '../engine/journal.ts'
import { Problem } from '../engine/problem.ts'
import { standing, undoAll } from '../engine/undo.ts'
import type { Progress, StageEnd } from '../report/progress.ts'
import { StillNeeded } from '../rollout/allowlist/removal.ts'
import { NotLeader } from '../rollout/lease.ts'
import { shrinkAllowlist } from './allowlist.ts'
import { kinds } from './clients.ts'
import { refuseFound, tellLeft } from './guard.ts'
import { type Hand, openHand } from './hand.ts'
import { hostPolicy, nameOf, recapOf } from './hosts.ts'
import { takeBack } from './open-rollout.ts'
import { type Proof, prove } from './proofs.ts'
import {
  isCutShort,
  isForPerson,
  type PhaseEnd,
  phaseProblem,
  runPhase,
  stuck,
  undecided,
  unfinished,
} from './rollout.ts'
import { foundText, preflightOf, refuseRollout } from './rollout-preflight.ts'
import type { Session } from './session.ts'
import type { Staged } from './staged.ts'
import { applyStage, chosen, chosenIn, keep, summaryOf, throwFailures } from './stages.ts'

export const takingDown = 'take down'

/** What lives in a thing that is replaced goes first. */
export const clearWay = async (staged: Staged, progress: Progress) => {
  const { session } = staged
  const { outcome } = await progress.stage(takingDown, async () => {
    const outcome = await takeDown(staged.plan, takingDown, session.world)
    keep(staged, outcome)
    return { ok: outcome.failures.length + outcome.skipped.length === 0, summary: summaryOf(outcome), outcome }
  })
  settle(session, outcome)
}

/** Gateway, proxy, cluster: stops at a failure and keeps what was made. Hosts: batch after batch, taken back. */
export const provision = async (staged: Staged, stage: StageName, progress: Progress) => {
  const { session } = staged
  const { configure } = session.context
  const hosts = stage === 'configure'
  const ids = chosen(staged, stage)
  const policy = hosts ? hostPolicy(configure, ids) : { mayFail: 0 }
  const { outcome } = await progress.stage(stage, async () => {
    const outcome = await applyStage(staged, stage, ids, policy)
    const ok = outcome.failures.length === 0 && outcome.skipped.length === 0
    return { ok, summary: summaryOf(outcome), outcome }
  })
  if (hosts && ids.length > 0) session.output.event('hosts', { hosts: recapOf(outcome) })
  const over = hosts && outcome.failures.length > policy.mayFail
  if (over && configure.onFailure === 'take-back' && !session.world.abort.aborted) await takeBackHosts(session)
  settle(session, outcome)
}

const takeBackHosts = async (session: Session) => {
  const mine = standing(readJournals(session.state), layer => layer.run === session.run)
  const undone = await undoAll(
    mine.filter(it => it.group === 'configure'),
    kinds,
    { ...session.world, stop: new AbortController().signal },
  )
  if (undone.failures.length + undone.left.length > 0) throw stuck(undone)
  if (undone.undone.length > 0) session.output.say(`put back as before: ${undone.undone.map(nameOf).join(', ')}`)
}

export const lookingAhead = 'rollout: preflight'

/** Phase after phase, if nothing stands in the way; one that does not hold, or an abort, takes the rollout back. */
export const rollOut = async (staged: Staged, progress: Progress, { tryNetwork = false } = {}) => {
  const { session, site } = staged
  await refuseFound(staged)
  const { found } = await progress.stage(lookingAhead, async () => {
    const found = await preflightOf(staged, { tryNetwork })
    return { ok: found.every(it => it.level === 'note'), summary: foundText(found), found }
  })
  refuseRollout(staged, found)
  const hand = await openHand(staged)
  try {
    for (const phase of site.phases) {
      const end = await progress.stage(`rollout: ${phase.name}`, say => guided(staged, phase, hand, say))
      const cut = await hand.isCut()
      if (end.ok && !cut) continue
      hand.takingBack()
      if (cut) throw await cutShort(session, hand)
      throw await notHeld(session, phase, end)
    }
  } finally {
    await hand.close()
  }
  tellLeft(staged)
  const { limit, tags } = session.flags
  if (tags) return
  const data = limit === undefined ? null : { tenants: session.context.tenants.map(it => it.tenant) }
  session.journal.record({ event: 'note', topic: 'rollout-passed', data })
}

/** A phase after what it waits for. Cut short by hand, it ends as far as it came. */
const guided = async (staged: Staged, phase: RolloutPhase, hand: Hand, say: (line: string) => void) => {
  const moves = chosenIn(staged, phase).some(it => staged.plan.seen.get(it)?.step)
  try {
    await hand.before(phase, moves, say)
    const act = phase.proves ? shrinkAllowlist : runPhase
    return (await hand.isCut()) ? unfinished(staged) : await act(staged, phase, say)
  } catch (thrown) {
    // Waits that were ended; whatever else was thrown meanwhile, an abort is not to be stopped by it.
    if (!(await hand.isCut())) throw thrown
    if ((thrown as Error).name !== 'AbortError') say(textOf(thrown))
    return unfinished(staged)
  }
}

/** What a phase that did not hold ends the run with, after what that takes. */
export const notHeld = async (session: Session, phase: RolloutPhase, end: PhaseEnd): Promise<unknown> => {
  const { failures } = end.outcome
  if (session.world.abort.aborted) return interrupted(session)
  const led = failures.find(it => it.error instanceof NotLeader)
  if (led) return led.error
  const needed = failures.find(it => it.error instanceof StillNeeded)
  if (needed) return needed.error
  if (isCutShort(session, end) && failures.length === 0) return interrupted(session)
  if (failures.length === 0 && isForPerson(session, end)) return undecided(phase, end, session.run)
  session.output.say(`phase ${phase.name} did not hold: taking the rollout back`)
  const undone = await takeBack(session)
  return undone.failures.length + undone.left.length > 0 ? stuck(undone) : phaseProblem(phase, end)
}

/** Another leads: nothing more is written. Somebody asked to abort: what moved is taken back. */
const cutShort = async (session: Session, { lost, aborted }: Hand): Promise<Problem> => {
  if (lost || !aborted) return lost!
  const { by, tenants } = aborted
  session.output.say(`${by} asked to abort: taking the rollout of ${tenants.join(', ')} back`)
  const undone = await takeBack(session, tenants)
  if (undone.failures.length + undone.left.length > 0) return stuck(undone)
  const others = session.context.tenants.map(it => it.tenant).filter(it => !tenants.includes(it))
  return new Problem('the rollout was aborted', {
    why: `${by} asked for it`,
    next: `${undone.undone.length} steps of ${tenants.join(', ')} were taken back${others.length > 0 ? `, ${others.join(', ')} stays as it is` : ''}; deploy again when it may go on`,
    exit: 5,
  })
}

/** The evidence of every tenant; throws where a gate does not pass. */
export const verify = async (staged: Staged, progress: Progress): Promise<Proof[]> => {
  const { proofs } = await progress.stage('verify', async (say): Promise<StageEnd & { proofs: Proof[] }> => {
    const proofs = await prove(staged, say)
    const failures = proofs.flatMap(it => it.failures)
    return {
      ok: failures.length === 0,
      summary: failures.length ? `${failures.length} gates did not pass` : 'proved',
      proofs,
    }
  })
  for (const it of proofs) staged.session.output.event('proof', it)
  const failures = proofs.flatMap(it => it.failures)
  if (failures.length === 0) return proofs
  throw new Problem(`${failures.length} gates did not pass`, {
    why: failures
      .map(it => `${it.tenant}/${it.workload}: ${it.gate}: ${it.verdict.verdict === 'pass' ? '' : it.verdict.reason}`)
      .join('\n'),
    next: 'deploy --check --diff shows what is not as it should be; rollback.ts --to start takes the workloads back',
  })
}

/** Throws where not all of it was done: what failed, or that it was interrupted. */
const settle = (session: Session, outcome: Outcome) => {
  if (session.world.abort.aborted) throw interrupted(session, 'or take what stands down with destroy.mjs')
  throwFailures(outcome)
  if (outcome.skipped.length > 0) throw interrupted(session, 'or take what stands down with destroy.mjs')
}

const interrupted = ({ run, world }: Session, or = 'or take it back with rollback.ts --to start') => {
  const next = `go on with deploy.mjs --resume ${run}, ${or}`
  return world.abort.aborted
    ? new Problem('interrupted while something was under way', {
        why: 'a second signal ended its waits: what had been begun may be finished or not, and the next run looks',
        next,
        exit: 130,
      })
    : new Problem('interrupted: what was under way was finished, nothing is half-done', {
        why: 'you asked for it',
        next,
        exit: 130,
      })
}
