import { look } from '../../engine/plan.ts'
import { withOnly } from '../limit.ts'
import type { Staged } from '../staged.ts'
import type { Hand } from './hand.ts'
import { takeBack } from './open.ts'
import { stuck } from './phase.ts'
import { owns } from './steps.ts'

/** A rollout that may have to go on without some of its tenants. */
export type Going = { staged: Staged; aside: { by: string; tenants: string[]; steps: number }[] }

/**
 * Takes back the tenants that somebody has aborted, while the others stand still, and goes on with these. False: it
 * goes on with nobody. Throws where taking back got stuck: then it goes on with nobody either.
 */
export const setAside = async (going: Going, hand: Hand, say: (line: string) => void): Promise<boolean> => {
  const { session } = going.staged
  const names = session.context.tenants.map(it => it.tenant)
  const others = names.filter(it => !hand.aborted?.tenants.includes(it))
  if (hand.lost || !hand.aborted || others.length === 0) return false
  const { by, tenants } = hand.settingAside()
  say(`${by} asked to abort: taking the rollout of ${tenants.join(', ')} back`)
  const undone = await takeBack(session, tenants)
  if (undone.failures.length + undone.left.length > 0) throw stuck(undone)
  const steps = undone.undone.length
  session.journal.record({ event: 'note', topic: 'set-aside', data: { by, tenants, others } })
  session.output.event('set-aside', { by, tenants, others, steps })
  say(`${steps} steps of ${tenants.join(', ')} were taken back; going on with ${others.join(', ')}`)
  going.aside.push({ by, tenants, steps })
  going.staged = await without(going.staged, tenants)
  hand.goingOn()
  return true
}

/**
 * The rest of a rollout, looked at anew: what was under way may be half-done, and a list that tenants share is wide
 * again. Phases keep their names, so each moves no more than before.
 */
const without = async (staged: Staged, tenants: readonly string[]): Promise<Staged> => {
  const { session, site, plan } = staged
  const kept = session.context.tenants.filter(it => !tenants.includes(it.tenant))
  const context = withOnly(session.context, kept)
  const stays = owns({ context })
  const phases = site.phases.map(({ desired, moves, proves, ...phase }) => ({
    ...phase,
    desired: desired.filter(stays),
    moves: moves.filter(it => kept.includes(it.tenant)),
    ...(proves && { proves: proves.filter(it => kept.includes(it.tenant)) }),
  }))
  const seen = new Map(plan.seen)
  const world = { ...session.world, planning: true }
  for (const { desired } of phases)
    await Promise.all(
      desired.map(async it => {
        seen.set(it.id, await look(it, seen.get(it.id)!.parents, seen, world))
      }),
    )
  return { ...staged, session: { ...session, context }, site: { ...site, phases }, plan: { ...plan, seen } }
}
