import { textOf, tryRecord } from '../engine/apply.ts'
import { throwAll } from '../engine/plan.ts'
import { Problem } from '../engine/problem.ts'
import { reportFor } from '../engine/world.ts'
import type { Owned } from '../scaleway/leftovers.ts'
import { removeEach } from '../scaleway/removal.ts'
import { idOf } from './owned.ts'
import { progressFor } from './progress.ts'
import { type Lead, noLead } from './rollout/lead-destroy.ts'
import type { Session } from './session.ts'

/**
 * Takes owned things away under a title, each written down first. The first Ctrl-C starts no other, the second stops
 * waiting. Throws what went wrong, after all else that could go is gone.
 */
export const removeOwned = async (
  session: Session,
  title: string,
  owned: readonly Owned[],
  lead: Lead = noLead,
): Promise<void> => {
  const { journal, clients, world } = session
  journal.record({ event: 'note', topic: 'removing', data: { title, resources: [...owned] } })
  const progress = progressFor(session, [title])
  const began = new Map<string, number>()
  const since = (id: string) => Date.now() - (began.get(id) ?? Date.now())
  const { outcome } = await progress
    .stage(title, async () => {
      const outcome = await removeEach(await clients.scaleway(), owned, {
        reportFor: it => reportFor(idOf(it), world),
        stop: world.stop,
        admit: lead.stands,
        onStart(it) {
          if (it.kind === 'cluster') lead.endsWithCluster()
          began.set(it.id, Date.now())
          journal.record({ event: 'undoing', step: idOf(it) })
          world.watch({ event: 'step-undoing', step: idOf(it), summary: it.id })
        },
        onEnd(it, error) {
          if (error === undefined) {
            tryRecord(world, { event: 'undone', step: idOf(it) })
            world.watch({ event: 'step-undone', step: idOf(it), durationMs: since(it.id) })
          } else {
            tryRecord(world, { event: 'undo-failed', step: idOf(it), error: textOf(error) })
            world.watch({ event: 'undo-failed', step: idOf(it), error })
          }
        },
      })
      const { gone, failures, left } = outcome
      const parts = [`${gone.length} gone`, ...some(failures.length, 'failed'), ...some(left.length, 'not reached')]
      return { ok: failures.length + left.length === 0, summary: parts.join(', '), outcome }
    })
    .finally(() => progress.close())
  const { gone, failures, left } = outcome
  session.output.know({ changes: { create: 0, update: 0, delete: gone.length, unchanged: 0 } })
  if (world.abort.aborted && failures.length > 0) throw stopped([...failures.map(it => it.owned), ...left])
  if (lead.lost) throw lead.lost
  throwAll(failures.map(it => it.error))
  if (left.length > 0) throw stopped(left)
}

const some = (count: number, word: string) => (count > 0 ? [`${count} ${word}`] : [])

const stopped = (left: readonly Owned[]) =>
  new Problem('interrupted: what is gone is gone, the rest stands', {
    why: `still there: ${left.map(idOf).join(', ')}`,
    next: 'run the same command again to go on',
    exit: 130,
  })
