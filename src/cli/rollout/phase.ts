import { setTimeout as delay } from 'node:timers/promises'
import type { Moved, RolloutPhase } from '../../../playbooks/rollout.ts'
import type { Outcome } from '../../engine/apply.ts'
import { textOf } from '../../engine/apply.ts'
import { millis } from '../../engine/duration.ts'
import { type Recorded, readJournals } from '../../engine/journal.ts'
import { Problem } from '../../engine/problem.ts'
import type { UndoOutcome } from '../../engine/undo.ts'
import { gatesAt, type Moment } from '../../rollout/gates/all.ts'
import type { Memory } from '../../rollout/gates/gate.ts'
import { NotLeader } from '../../rollout/kube/lease.ts'
import { isCanary } from '../../rollout/phases.ts'
import { egressName } from '../../rollout/workload-egress.ts'
import type { Session } from '../session.ts'
import type { Staged } from '../staged.ts'
import { applyStage, chosenIn, summaryOf } from '../stages.ts'
import { noteAddresses, notMoved, tryPolicy } from './before-canary.ts'
import { askGates, type GateResult, isHeld, lineOf, sideBySide, sweep, type Telling } from './gates.ts'
import { type Noted, noteRestarts, restartsBefore } from './restarts.ts'
import { crashedSince, movedSoFar } from './since-moved.ts'
import { groupOf } from './steps.ts'
import { type PhasePassed, unverifiedElsewhere, verifiedIn } from './unverified.ts'

export type PhaseEnd = { ok: boolean; summary: string; outcome: Outcome; failed: GateResult[] }

/** One phase: move what it moves, then ask its gates; nothing moved and gates passed before: nothing to do. */
export const runPhase = async (staged: Staged, phase: RolloutPhase, say: (line: string) => void): Promise<PhaseEnd> => {
  const { session } = staged
  const group = groupOf(phase.name)
  const tenants = session.context.tenants.map(it => it.tenant)
  const ids = chosenIn(staged, phase)
  const part = partOf(phase, ids)
  const first = isCanary(phase) ? await notMoved(staged, moving(staged, part)) : []
  await noteAddresses(staged, first)
  const ahead = moving(staged, part).length > 0 ? unverifiedElsewhere(staged, part) : []
  const unproved = ahead.length > 0 ? await proveFirst(staged, ahead, say) : []
  if (unproved.length > 0) return notProved(staged, unproved)
  const earlier = movedSoFar(readJournals(session.state), session.run)
  const crashed = moving(staged, part).length > 0 ? await crashedSince(staged, earlier, tell(staged, say)) : []
  if (crashed.length > 0) return notProved(staged, crashed)
  const untried = await tryPolicy(staged, first, tell(staged, say))
  if (untried.length > 0) return notProved(staged, untried)
  await noteRestarts(staged, part, group)
  const outcome = await applyStage(staged, group, ids)
  const summary = summaryOf(outcome)
  if (outcome.failures.length > 0 || outcome.skipped.length > 0) return { ok: false, summary, outcome, failed: [] }
  if (ids.length === 0) return { ok: true, summary: 'left out', outcome, failed: [] }
  const changed = [...outcome.changes.values()].some(it => it !== null)
  if (!changed && isProved(session, part, tenants)) return { ok: true, summary, outcome, failed: [] }
  const failed = await gatesOf(staged, part, earlier, say)
  if (failed.length > 0) return { ok: false, summary: `gate failed: ${failed[0]!.gate}`, outcome, failed }
  const unasked = phase.moves.filter(it => !part.moves.includes(it)).map(it => it.tenant.tenant)
  const passed = tenants.filter(it => !unasked.includes(it))
  notePassed(session, { group, tenants: passed, workloads: part.desired.map(it => it.id) })
  return { ok: true, summary: `${summary}, gates passed`, outcome, failed: [] }
}

/** Each of its workloads by itself; a phase without any by its name. */
const isProved = ({ state }: Session, { name, moves, desired }: RolloutPhase, tenants: readonly string[]): boolean => {
  const history = readJournals(state)
  if (moves.length === 0) return hasPassed(history, groupOf(name), tenants)
  const isVerified = verifiedIn(history)
  return moves.every((move, at) => isVerified(desired[at]!.id, move.tenant.tenant))
}

const notePassed = ({ journal }: Session, data: PhasePassed & { workloads: string[] }) =>
  journal.record({ event: 'note', topic: 'phase-passed', data })

const moving = ({ plan }: Staged, { moves, desired }: RolloutPhase): Moved[] =>
  moves.filter((_, at) => plan.seen.get(desired[at]!.id)?.step)

/** Nothing more gets the label before what has it already is proved. */
const proveFirst = async (staged: Staged, moves: Moved[], say: (line: string) => void): Promise<GateResult[]> => {
  const names = moves.map(({ tenant, workload }) => `${tenant.tenant}/${workload.name}`).join(', ')
  say(`moved by a run that did not end, and not proved yet: ${names}`)
  await sweep(staged, moves)
  const telling = tell(staged, say)
  const all = await Promise.all(moves.map(it => askGates(staged, it, gatesAt('moved', it.tenant), telling)))
  const failed = all.flat().filter(it => !isHeld(it))
  const workloads = moves.map(it => `workload-egress/${egressName(it.tenant.namespace, it.workload)}`)
  if (failed.length === 0) notePassed(staged.session, { group: 'rollout/earlier', tenants: [], workloads })
  return failed
}

const notProved = (staged: Staged, failed: GateResult[]): PhaseEnd => ({
  ...unfinished(staged),
  summary: `gate failed: ${failed[0]!.gate}`,
  failed,
})

/** A phase that ended before it was told how far it came: the journal has what it did. */
export const unfinished = ({ plan }: Staged): PhaseEnd => ({
  ok: false,
  summary: 'cut short',
  outcome: { plan, changes: new Map(), failures: [], skipped: [] },
  failed: [],
})

/** A phase with only what `--tags` leaves in: the rest is not moved, so nobody asks about it. */
const partOf = ({ name, desired, moves }: RolloutPhase, ids: readonly string[]): RolloutPhase => ({
  name,
  desired: desired.filter(it => ids.includes(it.id)),
  moves: moves.filter((_, at) => ids.includes(desired[at]!.id)),
})

const gatesOf = async (
  staged: Staged,
  phase: RolloutPhase,
  earlier: readonly Noted[],
  say: (line: string) => void,
): Promise<GateResult[]> => {
  const before = phase.name === 'gateway'
  const history = readJournals(staged.session.state)
  const moves = (before ? canariesOf(staged) : phase.moves).map(move => {
    const restarts = before ? undefined : restartsBefore(history, groupOf(phase.name), move)
    return { move, known: { restartsBefore: restarts, memories: new Map<string, Memory>() } }
  })
  await sweep(
    staged,
    moves.map(it => it.move),
  )
  const ask = async (moment: Moment) => {
    const telling = tell(staged, say)
    const asks = moves.map(
      ({ move, known }) =>
        (enough: AbortSignal) =>
          askGates(staged, move, gatesAt(moment, move.tenant), telling, { ...known, enough }),
    )
    return (await sideBySide(asks)).filter(it => !isHeld(it))
  }
  const failed = await ask(before ? 'gateway' : 'moved')
  const soaks = before || isCanary(phase) ? [] : moves.map(({ move }) => millis(move.tenant.rollout.then.soak))
  const soak = Math.max(0, ...soaks)
  if (failed.length > 0) return failed
  if (soak === 0) return crashedSince(staged, earlier, tell(staged, say))
  say(`soaking for ${soak / 1000} s`)
  const crashed = await soaked(staged, soak, say)
  if (crashed.length > 0) return crashed
  return (await Promise.all([ask('soaked'), crashedSince(staged, earlier, tell(staged, say))])).flat()
}

/** Waits, and looks now and then at all that this run has moved: nobody needs the rest of a soak after a crash. */
const soaked = async (staged: Staged, ms: number, say: (line: string) => void): Promise<GateResult[]> => {
  const { state, run, world } = staged.session
  const moved = ms > LOOK_MS ? movedSoFar(readJournals(state), run) : []
  const end = performance.now() + ms
  for (;;) {
    await delay(Math.max(0, Math.min(LOOK_MS, end - performance.now())), undefined, { signal: world.abort })
    if (performance.now() >= end) return []
    const crashed = await crashedSince(staged, moved, tell(staged, say))
    if (crashed.length > 0) return crashed
  }
}

const LOOK_MS = 5000

/** Every verdict and every pause goes to the journal and to whoever watches. */
export const tell = ({ session }: Staged, say: (line: string) => void): Telling => ({
  onResult(result) {
    const data = { ...result, verdict: { ...result.verdict } }
    // Of a thousand workloads, waiting for the disk at each verdict would be most of what a run waits for it.
    session.journal.record({ event: 'note', topic: 'gate', data }, { later: true })
    session.output.event('gate', result)
    say(lineOf(result))
  },
  onPause({ leftMs, ...paused }) {
    session.journal.record({ event: 'note', topic: 'gate-paused', data: { ...paused, leftMs } })
    session.output.event('gate-paused', { ...paused, leftMs })
    const { tenant, workload, gate, reason } = paused
    say(`${tenant}/${workload}: ${gate}: inconclusive: ${reason}; asked again for ${Math.ceil(leftMs / 1000)} s more`)
  },
})

/** Nobody knows, and each tenant that it is about wants a person to decide. */
export const isForPerson = (session: Session, { failed }: PhaseEnd): boolean =>
  failed.length > 0 && failed.every(it => patienceFor(session, it)?.then === 'ask')

/** An operator's interrupt ended a pause, not the patience of the tenants. */
export const isCutShort = (session: Session, { failed }: PhaseEnd): boolean =>
  session.world.stop.aborted && failed.every(it => patienceFor(session, it) !== undefined)

const patienceFor = ({ context }: Session, { tenant, verdict }: GateResult) =>
  verdict.verdict === 'inconclusive'
    ? context.tenants.find(it => it.tenant === tenant)?.rollout.inconclusive
    : undefined

export const canariesOf = ({ session }: Staged): Moved[] =>
  session.context.tenants.map(tenant => ({ tenant, workload: tenant.rollout.canary }))

/** Did this phase's gates pass for all these tenants since it was last changed? */
export const hasPassed = (history: readonly Recorded[], group: string, tenants: readonly string[]): boolean => {
  const passed = new Set<string>()
  const mine = new Set<string>()
  for (const it of history) {
    if (it.event === 'started' && it.group === group) {
      mine.add(it.step)
      passed.clear()
    } else if (it.event === 'undone' && mine.has(it.step)) passed.clear()
    else if (it.event === 'note' && it.topic === 'phase-passed') {
      const note = it.data as { group: string; tenants: string[] }
      if (note.group === group) for (const tenant of note.tenants) passed.add(tenant)
    }
  }
  return tenants.every(it => passed.has(it))
}

/** What the operator is told when a phase did not hold. */
export const phaseProblem = (phase: RolloutPhase, { outcome, failed }: PhaseEnd): Problem => {
  const [step] = outcome.failures
  const [gate] = failed
  const why = gate
    ? `${gate.tenant}/${gate.workload}: ${gate.gate}: ${gate.verdict.verdict === 'pass' ? '' : gate.verdict.reason}`
    : step
      ? `${step.step}: ${textOf(step.error)}`
      : 'the run was stopped'
  return new Problem(`phase ${phase.name} did not hold`, {
    why,
    next: 'the rollout was taken back; mend the cause, then deploy again',
    exit: 5,
    cause: step?.error,
  })
}

/** Nothing was taken back: workloads stay where they are until somebody decides. */
export const undecided = (phase: RolloutPhase, { failed }: PhaseEnd, run: string): Problem =>
  new Problem(`phase ${phase.name} is not decided: ${failed.map(it => `${it.tenant}/${it.workload}`).join(', ')}`, {
    why: failed.map(it => `${it.gate}: ${it.verdict.verdict === 'pass' ? '' : it.verdict.reason}`).join('\n'),
    next: `its workloads stay as they are; deploy.mjs --resume ${run} asks again, rollback.ts --to start takes them back`,
  })

/** Exit 6: a person is needed, and these lines say what is left. Where another leads by now, it is that one's. */
export const stuck = ({ failures, left }: UndoOutcome): Problem =>
  (failures.find(it => it.error instanceof NotLeader)?.error as NotLeader | undefined) ??
  new Problem(`rolling back got stuck: ${failures.length + left.length} steps are left`, {
    why: [...failures.map(it => `${it.step}: ${textOf(it.error)}`), ...left.map(it => `${it}: not reached`)].join('\n'),
    next: 'mend what stands in the way, then run scripts/rollback.ts --to start again',
    exit: 6,
  })
