import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import { type LeaseObject, leaseOf } from '../../rollout/kube/lease.ts'
import { KubeProblem } from '../../rollout/kube/problem.ts'
import { createPulse } from '../../rollout/kube/pulse.ts'
import { answerOf, asAnnotation, asAnswer, courseOf, type Request, type Wish } from '../../rollout/requests.ts'
import type { Flags } from '../flags.ts'
import { heard } from '../rollout/ear.ts'
import { refuseLosingGround } from '../rollout/ground.ts'
import { leadEarly } from '../rollout/leader.ts'
import { openOf, takeBack } from '../rollout/open.ts'
import { stuck } from '../rollout/phase.ts'
import { clusterOf } from '../rollout/view.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** What the flags ask of a run that is under way; undefined: they ask for a run. */
export const wishOf = ({ pause, promote, abort, resume, check, plan, out }: Flags): Wish | undefined => {
  const asked = [...(pause ? ['pause'] : []), ...(promote ? ['promote'] : []), ...(abort ? ['abort'] : [])] as Wish[]
  if (asked.length === 0) return resume === undefined || check ? undefined : 'resume'
  const others = [...(resume === undefined ? [] : ['resume']), ...(check ? ['check'] : [])]
  const beside = [...asked.slice(1), ...others, ...(plan === undefined ? [] : ['plan']), ...(out ? ['out'] : [])]
  if (beside.length === 0) return asked[0]
  throw new Problem(`--${asked[0]} goes without --${beside.join(' and --')}`, {
    why: 'it is about a run that is under way, and begins none',
    next: 'leave the others out; nothing was touched',
    exit: 2,
  })
}

/** Leaves a wish on the Lease of the run that is under way and waits for its answer. `nobody`: there is no such run. */
export const askRun = async (session: Session, what: Wish): Promise<ExitCode | 'nobody'> => {
  const { context, flags, output, world } = session
  const kube = clusterOf(session)
  const lease = kube && (await leaseIn(kube, session, what))
  const holder = lease?.spec?.holderIdentity
  if (!kube || !lease || !holder) return nobody(what)
  // Without a pause, `--resume` is about a run that did not end.
  if (what === 'resume' && !courseOf(lease)?.paused) return 'nobody'
  const tenants = flags.limit === undefined ? undefined : context.tenants.map(it => it.tenant)
  const request: Request = {
    ...{ id: randomBytes(6).toString('hex'), what, by: `${nameOfUser()}@${hostname()}`, at: new Date().toISOString() },
    ...(tenants && { tenants }),
  }
  await note(kube, context.context, asAnnotation(request))
  output.say(`asked ${holder}${courseOf(lease) ? '' : ', which is not in its rollout now'}`)
  const answer = await answered(kube, context.context, request.id, world.stop)
  await takeAway(kube, context.context, request.id)
  if (answer === null && world.stop.aborted) throw unanswered(holder)
  if (answer === null) return nobody(what)
  output.say(answer)
  output.event('answer', { what, answer })
  return finish(session, { status: 'ok', changes: noChanges })
}

/** `--abort` where nothing runs: what a run that ended or was killed left half-way is taken back here. */
export const abortHere = async (session: Session): Promise<ExitCode> => {
  const held = await leadEarly(session)
  await refuseLosingGround(session, openOf(session))
  const underWay = () => 'nothing: what was left half-way is being taken back'
  const undone = await heard(session, held, underWay, () => takeBack(session))
  if (undone.failures.length + undone.left.length > 0) throw stuck(undone)
  const count = undone.undone.length
  if (count > 0) session.output.say(`no run was under way; ${count} steps of one that did not end were taken back`)
  else
    session.output.say(
      'nothing to abort: no rollout is half-way in the journals here; rollback.ts --to start takes a whole one back',
    )
  return finish(session, { status: 'ok', changes: { ...noChanges, update: count } })
}

const leaseIn = async (kube: Kube, { context }: Session, what: Wish): Promise<LeaseObject | null> => {
  try {
    return await kube.get<LeaseObject>(leaseOf(context.context))
  } catch (thrown) {
    // Going on with a run looks at everything itself, and says what it cannot see.
    if (what === 'resume' && thrown instanceof KubeProblem) return null
    throw thrown
  }
}

/** The Lease belongs to the run: each change is of a key that nobody else writes. */
const note = (kube: Kube, context: string, annotations: Record<string, string | null>) =>
  kube.patch(leaseOf(context), { merge: { metadata: { annotations } } })

const takeAway = async (kube: Kube, context: string, id: string): Promise<void> => {
  const keys = Object.keys({ ...asAnswer(id, '') })
  await note(kube, context, Object.fromEntries(keys.map(it => [it, null])))
}

/** Null: the run ended without a word, or it no longer renews its Lease. */
const answered = async (kube: Kube, context: string, id: string, stop: AbortSignal): Promise<string | null> => {
  const isDead = createPulse()
  for (;;) {
    const lease = await kube.get<LeaseObject>(leaseOf(context))
    const said = lease && answerOf(lease, id)
    if (said !== undefined && said !== null) return said
    if (!lease?.spec?.holderIdentity || stop.aborted || isDead(lease.spec)) return null
    await delay(250, undefined, { signal: stop }).catch(() => undefined)
  }
}

const unanswered = (holder: string) =>
  new Problem('interrupted before there was an answer', {
    why: 'you asked for it',
    next: `ask again; what ${holder} may have seen of it, its own lines say`,
    exit: 130,
  })

const nobody = (what: Wish): 'nobody' => {
  if (what === 'abort' || what === 'resume') return 'nobody'
  throw new Problem(`nothing to ${what}`, {
    why: 'no rollout of this context is under way, on no machine',
    next: 'status.mjs tells how far the last one came; nothing was touched',
  })
}

const nameOfUser = (): string => {
  try {
    return userInfo().username
  } catch {
    return 'somebody'
  }
}
