import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJournals } from '../../engine/journal.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { standing } from '../../engine/undo.ts'
import { reportFor } from '../../engine/world.ts'
import { listOwned, removeAll } from '../../scaleway/leftovers.ts'
import { agreed } from '../confirm.ts'
import { progressFor } from '../progress.ts'
import { hasPassed, isRollout } from '../rollout.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** Everything at Scaleway that carries this context's tags, in reverse order of making. */
export const destroy = async (session: Session): Promise<ExitCode> => {
  const { flags, output, clients, world, state } = session
  if (flags.limit || flags.tags) throw wholeOnly()
  if (!flags.force) refuseWhileLive(session)
  const scaleway = await clients.scaleway()
  const owned = await listOwned(scaleway)
  for (const it of owned) {
    output.data(`  - ${it.kind} ${it.name} (${it.id})`)
    output.event('planned', { step: `${it.kind}/${it.name}`, change: { action: 'delete', summary: it.id } })
  }
  const changes = { ...noChanges, delete: owned.length }
  if (flags.check) return finish(session, { status: owned.length > 0 ? 'changes-pending' : 'ok', changes })
  if (owned.length > 0) {
    await agreed(session, `Destroy ${owned.length} resources of ${session.context.context}?`)
    session.journal.record({ event: 'note', topic: 'destroying', data: { resources: owned } })
    const progress = progressFor(session, ['destroy'])
    await progress
      .stage('destroy', async () => {
        await removeAll(scaleway, owned, reportFor('destroy', world))
        return { ok: true, summary: `${owned.length} resources are gone` }
      })
      .finally(() => progress.close())
  } else output.say('nothing to destroy: this context has nothing at Scaleway')
  // What stood in the cluster went with it; a later rollback must not look for it.
  if (!session.context.cluster.kubeconfig) {
    for (const it of standing(readJournals(state)).filter(isRollout))
      session.journal.record({ event: 'undone', step: it.step })
    const kubeconfig = join(state, 'kubeconfig')
    if (existsSync(kubeconfig)) rmSync(kubeconfig)
  }
  return finish(session, { status: 'ok', changes })
}

/**
 * A rollout is live when it was begun and neither passed whole nor was taken back; and in a cluster that stays,
 * as long as any workload leaves by a proxy that would go.
 */
const refuseWhileLive = ({ state, context }: Session) => {
  const history = readJournals(state)
  const open = standing(history).filter(isRollout)
  const tenants = context.tenants.map(it => it.tenant)
  const unfinished = open.filter(it => !hasPassed(history, it.group, tenants))
  const live = context.cluster.kubeconfig ? open : unfinished
  if (live.length === 0) return
  throw new Problem('a rollout is live', {
    why: `${context.cluster.kubeconfig ? 'these would lose their way out' : 'half-way'}: ${live.map(it => it.step).join(', ')}`,
    next: 'rollback.ts --to start first (or deploy to its end), or say --force',
    exit: 1,
  })
}

const wholeOnly = () =>
  new Problem('destroy takes a whole context', {
    why: '--limit and --tags choose a part, and what is shared would be torn from the rest',
    next: 'leave them out; nothing was touched',
    exit: 2,
  })
