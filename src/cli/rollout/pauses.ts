import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import { millis } from '../../engine/duration.ts'
import type { Recorded } from '../../engine/journal.ts'
import { endsRollout } from './passed.ts'
import { isOf } from './steps.ts'

/** Before a phase; without `until` it lasts until somebody promotes. */
export type Pause = { since: string; until?: string }

/**
 * What `then.pause` of a phase's tenants comes to: the longest. One that a run was killed in goes on, and one that was
 * promoted is not asked for again, as long as nothing was taken back since.
 */
export const pauseBefore = (
  history: readonly Recorded[],
  group: string,
  { moves }: RolloutPhase,
  now = new Date(),
): Pause | undefined => {
  const words = [...new Set(moves.map(it => it.tenant.rollout.then.pause))].filter(it => it !== 'none')
  if (words.length === 0) return undefined
  const noted = notesOf(history, group, moves)
  if (noted.promoted) return undefined
  const since = noted.since ?? now.toISOString()
  if (words.includes('promote')) return { since }
  const longest = Math.max(...words.map(millis))
  return { since, until: new Date(Date.parse(since) + longest).toISOString() }
}

export const endOf = ({ until }: Pause): number => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until))

/** Since the last of their rollouts that passed whole, or was taken back. */
const notesOf = (history: readonly Recorded[], group: string, moves: RolloutPhase['moves']) => {
  const tenants = moves.map(it => it.tenant)
  const ours = isOf({ context: { tenants } })
  const others = new Set(history.flatMap(it => (it.event === 'started' && !ours(it) ? [it.step] : [])))
  const names = tenants.map(it => it.tenant)
  const last = history.findLastIndex(it => (it.event === 'undone' && !others.has(it.step)) || endsRollout(it, names))
  let since: string | undefined
  let promoted = false
  for (const it of history.slice(last + 1)) {
    if (it.event !== 'note') continue
    const note = it.data as { group?: string; by?: string; since?: string } | null
    if (note?.group !== group) continue
    if (it.topic === 'phase-paused' && note.by === 'the inventory') since ??= note.since
    if (it.topic === 'phase-promoted') promoted = true
  }
  return { since, promoted }
}
