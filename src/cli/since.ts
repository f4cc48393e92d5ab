import { Problem } from '../engine/problem.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `24h`, `7d`, `90m` ago, or a day or time in UTC such as 2026-11-21 or 2026-11-21T08:00Z: milliseconds. */
export const sinceOf = (text = '24h', now = Date.now()): number => {
  const [, amount, unit] = /^(\d{1,6})(m|h|d)$/.exec(text) ?? []
  if (amount !== undefined) return Math.max(0, now - Number(amount) * unitMs[unit as keyof typeof unitMs])
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  // 30 February would be the second of March.
  if (at < now && new Date(at).toISOString().startsWith(text.slice(0, 10))) return at
  throw new Problem(`--since ${JSON.stringify(text)} is no time that has passed`, {
    why: 'it is so long ago (90m, 24h, 7d), or a day or time in UTC (2026-11-21, 2026-11-21T08:00Z)',
    next: 'say for instance --since 24h; nothing was touched',
    exit: 2,
  })
}
