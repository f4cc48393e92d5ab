import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import { textOf } from '../../engine/apply.ts'
import { Problem } from '../../engine/problem.ts'
import type { Progress } from '../../report/progress.ts'
import { StillNeeded } from '../../rollout/allowlist/removal.ts'
import { NotLeader } from '../../rollout/kube/lease.ts'
import { refuseFound, tellLeft } from '../guard.ts'
import type { Session } from '../session.ts'
import type { Staged } from '../staged.ts'
import { chosenIn } from '../stages.ts'
import { shrinkAllowlist } from './allowlist.ts'
import { type Going, setAside } from './aside.ts'
import { type Hand, openHand } from './hand.ts'
import { interrupted } from './interrupted.ts'
import { takeBack } from './open.ts'
import {
  isCutShort,
  isForPerson,
  type PhaseEnd,
  phaseProblem,
  runPhase,
  stuck,
  undecided,
  unfinished,
} from './phase.ts'
import { foundText, preflightOf, refuseRollout } from './preflight.ts'

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
  const going: Going = { staged, aside: [] }
  try {
    for (const { name } of site.phases) {
      const { cut, phase, ...end } = await progress.stage(`rollout: ${name}`, say => through(going, name, hand, say))
      if (end.ok && !cut) continue
      hand.takingBack()
      throw await (cut ? cutShort(session, hand) : notHeld(going.staged.session, phase, end))
    }
  } finally {
    await hand.close()
  }
  tellLeft(going.staged)
  if (!session.flags.tags) notePassed(going)
  if (going.aside.length > 0) throw aborted(going)
}

const notePassed = ({ staged: { session }, aside }: Going) => {
  const whole = session.flags.limit === undefined && aside.length === 0
  const data = whole ? null : { tenants: session.context.tenants.map(it => it.tenant) }
  session.journal.record({ event: 'note', topic: 'rollout-passed', data })
}

/** One phase, and again without those whom somebody aborts meanwhile. `cut`: nothing new is to be begun. */
const through = async (going: Going, name: string, hand: Hand, say: (line: string) => void) => {
  for (;;) {
    const phase = going.staged.site.phases.find(it => it.name === name)!
    const end = await guided(going.staged, phase, hand, say)
    const cut = await hand.isCut()
    if (!cut || !(await setAside(going, hand, say))) return { ...end, cut, phase }
  }
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
  return new Problem('the rollout was aborted', {
    why: `${by} asked for it`,
    next: `${undone.undone.length} steps of ${tenants.join(', ')} were taken back; deploy again when it may go on`,
    exit: 5,
  })
}

/** The others have passed whole. */
const aborted = ({ aside, staged: { session } }: Going): Problem => {
  const others = session.context.tenants.map(it => it.tenant).join(', ')
  return new Problem(`the rollout of ${aside.flatMap(it => it.tenants).join(', ')} was aborted`, {
    why: aside
      .map(({ by, tenants, steps }) => `${by} asked for it: ${steps} steps of ${tenants.join(', ')} were taken back`)
      .join('\n'),
    next: `${others} passed; 60-verify.mjs --limit ${others.replaceAll(', ', ',')} proves it once more; deploy again when the rest may go on`,
    exit: 5,
  })
}
