import { readJournals } from '../engine/journal.ts'
import { Problem } from '../engine/problem.ts'
import { standing } from '../engine/undo.ts'
import { type Context, proxiesIn, zonesIn } from '../inventory/context.ts'
import { listKnown } from '../scaleway/known.ts'
import { listOwned, type Owned } from '../scaleway/leftovers.ts'
import { agreed } from './confirm.ts'
import { idOf, lineOf, orphansIn, wantedBy } from './owned.ts'
import { removeOwned } from './remove.ts'
import { isOf, isRollout } from './rollout/steps.ts'
import type { Session } from './session.ts'
import { siteOf } from './stages.ts'

/**
 * What this context made and its inventory no longer asks for. To be shown beside a plan it costs no call; to be
 * removed (`whole`) all zones and volumes are looked at too.
 */
export const findOrphans = async (session: Session, { whole }: { whole: boolean }): Promise<Owned[]> => {
  const scaleway = await session.clients.scaleway()
  const owned = await (whole ? listOwned(scaleway) : listKnown(scaleway, session.context.cluster.existing))
  const kept = stillUsed(session.context)
  return orphansIn(owned, wantedBy(siteOf(session).cloud), zonesIn(session.context)).filter(it => !kept.has(idOf(it)))
}

/** A proxy that was made here and is now named as one that exists carries its tenant: it and its addresses stay. */
const stillUsed = (context: Context): ReadonlySet<string> =>
  new Set(
    proxiesIn(context)
      .filter(({ proxy }) => proxy.machine)
      .flatMap(({ proxy }) => ['server', 'flexible-ip', 'ipam-address'].map(it => `${it}/${proxy.name}`)),
  )

export const tellOrphans = ({ output, flags }: Session, orphans: readonly Owned[]): void => {
  for (const it of orphans) {
    output.event('orphaned', { step: idOf(it), id: it.id, ...(it.zone && { zone: it.zone }), removed: flags.prune })
  }
  if (orphans.length === 0) return
  const fate = flags.prune ? 'removed first' : 'they stay; deploy.mjs --prune removes them'
  output.data(`orphaned: not in the inventory any more (${fate})`)
  for (const it of orphans) output.data(`  ${flags.prune ? '-' : '?'} ${lineOf(it)}`)
}

/** Before anything is written: may these go at all? */
export const refusePrune = (session: Session, orphans: readonly Owned[]): void => {
  if (orphans.length === 0) return
  if (session.context.protect)
    throw new Problem('this context is protected', {
      why: `protect: true covers all of it, and with it ${orphans.map(idOf).join(', ')}`,
      next: 'take protect: true out of context.yaml first; nothing was touched',
    })
  const ours = isOf(session)
  const live = standing(readJournals(session.state)).filter(it => isRollout(it) && !ours(it))
  if (live.length === 0) return
  throw new Problem('the rollout of a tenant that left still stands', {
    why: `these would lose their way out: ${live.map(it => it.step).join(', ')}`,
    next: 'put the tenant back, rollback.ts --to start --limit TENANT, take it out again; nothing was touched',
  })
}

export const prune = async (session: Session, orphans: readonly Owned[]): Promise<void> => {
  if (orphans.length === 0) return
  await agreed(session, `Remove ${orphans.length} orphaned resources of ${session.context.context}?`)
  await removeOwned(session, 'prune', orphans)
}
