import type { Recorded } from './journal.ts'

/**
 * How long to wait before an absence can be believed, when reads may lag by `lagMs`: the last run may have made what
 * no read shows yet. One without an ending may have died a moment ago, whatever it wrote last; one that failed has
 * looked by then for all but what it made last. Milliseconds.
 */
export const graceMs = (history: readonly Recorded[], lagMs: number, now = Date.now()): number => {
  const begun = history.findLast(it => it.event === 'run-started')
  if (!begun) return 0
  const lines = history.filter(it => it.run === begun.run)
  const ended = lines.find(it => it.event === 'run-ended')
  if (!ended) return lagMs
  const changed = lines.some(it => it.event === 'started' || it.event === 'undoing')
  if (!changed || ended.status === 'ok') return 0
  return Math.max(0, Math.min(lagMs, Date.parse(ended.time) + lagMs - now))
}
