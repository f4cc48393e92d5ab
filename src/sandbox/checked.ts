export type Bad = string[]
type Members = Record<string, unknown>

/** Checks of untyped JSON that gather what is wrong instead of stopping at the first. Absent is right, unless a record. */
export const checker = (bad: Bad) => ({
  record(value: unknown, at: string): value is Members {
    const right = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!right) bad.push(`${at} must be an object`)
    return right
  },
  list(value: unknown, at: string): unknown[] {
    if (value !== undefined && !Array.isArray(value)) bad.push(`${at} must be a list`)
    return Array.isArray(value) ? value : []
  },
  number(value: unknown, at: string, most = Number.MAX_SAFE_INTEGER, least = 0) {
    if (value === undefined) return
    if (typeof value !== 'number' || !(value >= least && value <= most))
      bad.push(`${at} must be a number from ${least}${most === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${most}`}`)
  },
  text(value: unknown, at: string) {
    if (value !== undefined && typeof value !== 'string') bad.push(`${at} must be a text`)
  },
  oneOf(value: unknown, at: string, allowed: readonly string[]) {
    if (!allowed.includes(value as string)) bad.push(`${at} must be one of ${allowed.join(', ')}`)
  },
  only(value: Members, at: string, known: readonly string[]) {
    for (const key of Object.keys(value)) if (!known.includes(key)) bad.push(`${at} has no ${key}: ${known.join(', ')}`)
  },
})
