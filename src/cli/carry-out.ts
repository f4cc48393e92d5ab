import type { StageName } from '../../playbooks/site.ts'
import { type Outcome, takeDown } from '../engine/apply.ts'
import { readJournals } from '../engine/journal.ts'
import { Problem } from '../engine/problem.ts'
import { standing, undoAll } from '../engine/undo.ts'
import type { Progress, StageEnd } from '../report/progress.ts'
import type { Request } from '../rollout/requests.ts'
import { kinds } from './clients.ts'
import { hostPolicy, nameOf, recapOf } from './hosts.ts'
import { type Proof, prove } from './proofs.ts'
import { heard } from './rollout/ear.ts'
import { kubeconfigOf } from './rollout/gates.ts'
import { interrupted } from './rollout/interrupted.ts'
import { leadEarly } from './rollout/leader.ts'
import { stuck } from './rollout/phase.ts'
import type { Session } from './session.ts'
import type { Staged } from './staged.ts'
import { applyStage, chosen, keep, summaryOf, throwFailures } from './stages.ts'

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

/** The evidence of every tenant; throws where a gate does not pass. */
export const verify = async (staged: Staged, progress: Progress): Promise<Proof[]> => {
  const { proofs } = await progress.stage('verify', async (say): Promise<StageEnd & { proofs: Proof[] }> => {
    const proofs = await proveByHand(staged, say)
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

/** The asking ends when somebody asks to abort: what has passed stays, and is taken back by another command. */
const proveByHand = async (staged: Staged, say: (line: string) => void): Promise<Proof[]> => {
  const { session } = staged
  const { world } = session
  const { abort } = world
  const cut = new AbortController()
  let by = ''
  const answer = ({ what, by: who, tenants }: Request) => {
    const names = session.context.tenants.map(it => it.tenant)
    if (tenants && !tenants.some(it => names.includes(it))) return `nothing: this run is about ${names.join(', ')}`
    if (what !== 'abort') return 'nothing: the rollout has passed, and is proved once more'
    by = who
    cut.abort()
    return 'it ends now; the rollout has passed and stays: rollback.ts --to start takes it back'
  }
  const held = await session.clients.lead?.(kubeconfigOf(staged))
  world.abort = AbortSignal.any([abort, cut.signal])
  const ended = () => cut.signal.aborted && !abort.aborted
  try {
    const proofs = await heard(session, held, answer, () => prove(staged, say))
    if (!ended()) return proofs
  } catch (thrown) {
    if (!ended()) throw thrown
  } finally {
    world.abort = abort
  }
  throw new Problem('the run was ended while it proved what had moved', {
    why: `${by} asked to abort`,
    next: 'what has moved passed its gates and stays moved; 60-verify.mjs proves it, rollback.ts --to start takes it back',
    exit: 130,
  })
}

/** A stage before the rollout: an abort is heard as a Ctrl-C is. What is made stays. */
export const beforeRollout = async <T>(session: Session, work: () => Promise<T>): Promise<T> => {
  const { world } = session
  const { stop } = world
  const cut = new AbortController()
  const answer = ({ what }: Request) => {
    if (what !== 'abort') return 'nothing: the rollout has not begun'
    cut.abort()
    return 'the open step ends, and nothing new begins; what is made stays. What an earlier run left half-way, another --abort takes back'
  }
  world.stop = AbortSignal.any([stop, cut.signal])
  try {
    return await heard(session, await leadEarly(session), answer, work)
  } finally {
    world.stop = stop
  }
}

/** Throws where not all of it was done: what failed, or that it was interrupted. */
const settle = (session: Session, outcome: Outcome) => {
  if (session.world.abort.aborted) throw interrupted(session, 'or take what stands down with destroy.mjs')
  throwFailures(outcome)
  if (outcome.skipped.length > 0) throw interrupted(session, 'or take what stands down with destroy.mjs')
}
