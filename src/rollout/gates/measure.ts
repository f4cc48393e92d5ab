/** Inconclusive is neither: nobody knows, so nobody promotes. */
export type Verdict =
  | { verdict: 'pass' }
  | { verdict: 'fail'; reason: string }
  | { verdict: 'inconclusive'; reason: string }

/** One look. `error`: it could not be taken (no API, no pod), which says nothing about the subject. */
export type Measurement = Verdict | { verdict: 'error'; reason: string }

export const pass: Verdict = { verdict: 'pass' }
export const fail = (reason: string): Verdict => ({ verdict: 'fail', reason })
export const inconclusive = (reason: string): Verdict => ({ verdict: 'inconclusive', reason })

/** How many measurements decide, by the words of Argo Rollouts' analysis. Durations are like `10s`. */
export type Limits = {
  interval: string
  /** Conclusive measurements (pass or fail) that are taken. */
  count: number
  /** Before the first. */
  initialDelay: string
  /** How many may fail; -1: as many as like, until `consecutiveSuccessLimit` is met or `count` is reached. */
  failureLimit: number
  /** How many in a row may be errors. */
  consecutiveErrorLimit: number
  /** So many passes in a row pass the gate at once, and nothing else does; 0: not asked for. */
  consecutiveSuccessLimit: number
  inconclusiveLimit: number
  /** Measured and told; guards nothing. */
  dryRun: boolean
}

export const usualLimits: Limits = {
  interval: '10s',
  count: 1,
  initialDelay: '0s',
  failureLimit: 0,
  consecutiveErrorLimit: 4,
  consecutiveSuccessLimit: 0,
  inconclusiveLimit: 3,
  dryRun: false,
}

type Counted = Pick<
  Limits,
  'count' | 'failureLimit' | 'consecutiveErrorLimit' | 'consecutiveSuccessLimit' | 'inconclusiveLimit'
>

/** Why no measurements could be evidence under these limits; null: they can. */
export const unprovable = ({ count, failureLimit, consecutiveSuccessLimit }: Counted): string | null => {
  if (consecutiveSuccessLimit > count) return `consecutiveSuccessLimit ${consecutiveSuccessLimit} is never reached`
  if (consecutiveSuccessLimit > 0) return null
  if (failureLimit < 0) return 'without a failureLimit it would pass on failures alone'
  return failureLimit < count ? null : 'failureLimit must be less than count: it would pass on failures alone'
}

/**
 * What the measurements so far come to; null: not decided yet. Errors and silence never count towards `count`, so
 * that a pass is always made of passes.
 * @see Argo Rollouts, Analysis: there, silence within its limit counts too
 */
export const assess = (limits: Counted, measurements: readonly Measurement[]): Verdict | null => {
  const last = measurements.at(-1)
  if (!last) return null
  const of = (verdict: Measurement['verdict']) => measurements.filter(it => it.verdict === verdict).length
  const failed = of('fail')
  if (last.verdict === 'fail' && limits.failureLimit >= 0 && failed > limits.failureLimit) return last
  if (last.verdict === 'inconclusive' && of('inconclusive') > limits.inconclusiveLimit) return last
  if (last.verdict === 'error') {
    const errors = inARow(measurements, 'error')
    const times = errors === 1 ? '' : `, ${errors} times in a row`
    return errors > limits.consecutiveErrorLimit ? inconclusive(`not measured${times}: ${last.reason}`) : null
  }
  const enough = of('pass') + failed >= limits.count
  if (limits.consecutiveSuccessLimit === 0) return enough ? pass : null
  if (inARow(measurements, 'pass') >= limits.consecutiveSuccessLimit) return pass
  if (!enough) return null
  const reason = `never ${limits.consecutiveSuccessLimit} passes in a row among ${limits.count}`
  return limits.failureLimit < 0 ? fail(reason) : inconclusive(reason)
}

/** How many of the last measurements are of that verdict. */
const inARow = (measurements: readonly Measurement[], verdict: Measurement['verdict']): number => {
  const before = measurements.findLastIndex(it => it.verdict !== verdict)
  return measurements.length - 1 - before
}

/** The worst of several: a failure outweighs silence, silence outweighs a pass. Nothing asked is silence. */
export const worst = (verdicts: Verdict[]): Verdict =>
  verdicts.find(it => it.verdict === 'fail') ??
  verdicts.find(it => it.verdict === 'inconclusive') ??
  verdicts[0] ??
  inconclusive('there was nothing to ask')
