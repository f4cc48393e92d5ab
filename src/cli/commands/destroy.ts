import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { protectedIn } from '../../../playbooks/protect.ts'
import { readJournals } from '../../engine/journal.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { standing } from '../../engine/undo.ts'
import { wrap } from '../../report/wrap.ts'
import { findLeaks } from '../../scaleway/leaks.ts'
import { listOwned, type Owned } from '../../scaleway/leftovers.ts'
import { agreed } from '../confirm.ts'
import { tellLeaks } from '../leaks.ts'
import { idOf, lineOf, protectedOf } from '../owned.ts'
import { removeOwned } from '../remove.ts'
import { refuseUnknown } from '../rollout/ground.ts'
import { leadDestroy } from '../rollout/lead-destroy.ts'
import { hasPassed } from '../rollout/phase.ts'
import { isOf, isRollout } from '../rollout/steps.ts'
import { verifiedIn } from '../rollout/unverified.ts'
import type { Session } from '../session.ts'
import { clusterStays, staying } from '../staying.ts'
import { finish, noChanges } from '../summary.ts'

/** Everything at Scaleway that carries this context's tags, in reverse order of making. */
export const destroy = async (session: Session): Promise<ExitCode> => {
  const { flags, output, clients, context } = session
  if (flags.limit || flags.tags) throw wholeOnly()
  const scaleway = await clients.scaleway()
  const [owned, leaks] = await Promise.all([listOwned(scaleway), findLeaks(scaleway)])
  const refusals = [...protectedHere(session, owned), ...(flags.force ? [] : liveRollout(session))]
  tellOwned(session, owned)
  const changes = { ...noChanges, delete: owned.length }
  if (flags.check) {
    for (const it of refusals) output.say(`note: destroy would refuse: ${it.message}: ${it.why}`)
    tellLeaks(session, leaks)
    return finish(session, { status: owned.length > 0 ? 'changes-pending' : 'ok', changes })
  }
  if (refusals[0]) throw refusals[0]
  const lists = openLists(session)
  if (lists.length > 0) output.say(`note: nobody takes these out of their lists any more: ${lists.join(', ')}`)
  if (owned.length > 0) {
    await agreed(session, `Destroy ${owned.length} resources of ${session.context.context}?`)
    const lead = await leadDestroy(session, owned)
    if (clusterStays(context) && !flags.force) await refuseUnknown(session, standing(readJournals(session.state)))
    try {
      await removeOwned(session, 'destroy', owned, lead)
    } finally {
      // After a second Ctrl-C nobody waits for an answer.
      if (!session.world.abort.aborted)
        await findLeaks(scaleway).then(
          left => tellLeaks(session, left),
          () => output.say('note: Scaleway did not answer what else may be left; status.mjs looks again'),
        )
    }
  } else {
    output.say('nothing to destroy: this context has nothing at Scaleway')
    tellLeaks(session, leaks)
  }
  forgetCluster(session)
  return finish(session, { status: 'ok', changes })
}

/** What goes, in the order in which it can, and what does not. */
const tellOwned = (session: Session, owned: readonly Owned[]) => {
  const { output, context } = session
  const kept = new Set(protectedOf(owned, protectedIn(context)).map(it => it.id))
  for (const it of owned) {
    output.data(`  - ${lineOf(it)}${kept.has(it.id) ? '  protected: destroy refuses' : ''}`)
    output.event('planned', {
      step: idOf(it),
      change: { action: 'delete', summary: it.id },
      protected: kept.has(it.id),
    })
  }
  for (const [what, why] of staying(context)) {
    for (const line of wrap('  stays ', `${what}: ${why}`)) output.data(line)
    output.event('stays', { what, why })
  }
}

/** What stood in our cluster went with it; a later rollback must not look for it. */
const forgetCluster = (session: Session) => {
  const { context, state, journal } = session
  const stands = standing(readJournals(state)).filter(isRollout)
  if (!clusterStays(context)) for (const it of stands) journal.record({ event: 'undone', step: it.step })
  else if (stands.length > 0) return // a rollback needs the way into a cluster that stays
  const kubeconfig = join(state, 'kubeconfig')
  if (existsSync(kubeconfig)) rmSync(kubeconfig)
}

const protectedHere = ({ context }: Session, owned: readonly Owned[]): Problem[] => {
  const kept = protectedOf(owned, protectedIn(context))
  if (kept.length === 0) return []
  return [
    new Problem('this context has what must not be lost', {
      why: `protected by the inventory: ${kept.map(idOf).join(', ')}`,
      next: 'take protect: true out of the inventory first; no flag does it; nothing was touched',
    }),
  ]
}

/**
 * A rollout is live when it was begun and neither passed whole nor was taken back; and in a cluster that stays,
 * as long as any workload leaves by a proxy that would go.
 */
const liveRollout = (session: Session): Problem[] => {
  const { state, context } = session
  const history = readJournals(state)
  const open = standing(history).filter(isRollout)
  const lists = openLists(session)
  if (lists.length > 0)
    return [
      new Problem("a partner's list still lets our addresses in", {
        why: `they are somebody else's once they are given back: ${lists.join(', ')}`,
        next: 'rollback.ts --to start first, or say --force and take them out by hand',
      }),
    ]
  // A tenant that was never moved has no gates to pass.
  const moved = context.tenants.filter(it => open.some(isOf({ ...session, context: { ...context, tenants: [it] } })))
  const tenants = moved.map(it => it.tenant)
  const isVerified = verifiedIn(history)
  const unfinished = open.filter(it => !hasPassed(history, it.group, tenants) && !isVerified(it.step, ''))
  const stays = clusterStays(context)
  const live = stays ? open : unfinished
  if (live.length === 0) return []
  return [
    new Problem('a rollout is live', {
      why: `${stays ? 'these would lose their way out' : 'half-way'}: ${live.map(it => it.step).join(', ')}`,
      next: 'rollback.ts --to start first (or deploy to its end), or say --force',
    }),
  ]
}

/** Steps about lists of partners, which no deletion at Scaleway takes back. */
const openLists = ({ state }: Session): string[] =>
  standing(readJournals(state)).flatMap(it => (it.kind.startsWith('allowlist-') ? [it.step] : []))

const wholeOnly = () =>
  new Problem('destroy takes a whole context', {
    why: '--limit and --tags choose a part, and what is shared would be torn from the rest',
    next: 'leave them out; nothing was touched',
    exit: 2,
  })
