import type { Change, Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'

type Thing = { id: string }

/**
 * Takes away what must be replaced, before its successor is made; a crash between the two leaves nothing, and the next
 * run makes it. Returns what still counts in a list: one that lags may go on naming the old one.
 */
export const clearWay = async (
  live: Thing | null,
  change: Change | null,
  report: Report,
  remove: (id: string) => Promise<void>,
): Promise<(listed: Thing) => boolean> => {
  if (!live || !change) return () => true
  await remove(live.id)
  report.progress('removed the old one', { id: live.id })
  return ({ id }) => id !== live.id
}

/** What was replaced is gone, with what it held: no undo brings it back. */
export const refuseReturn = (what: string, before: Thing, there: Thing | null): void => {
  if (there?.id === before.id) return
  throw new Problem(`${what} cannot be brought back`, {
    why: `${before.id} is gone${there ? `, ${there.id} took its place` : ''}`,
    next: 'put the old values back into the inventory and deploy',
  })
}
