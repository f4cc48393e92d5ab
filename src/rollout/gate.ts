import { setTimeout as delay } from 'node:timers/promises'
import { millis } from '../engine/duration.ts'
import { Problem } from '../engine/problem.ts'

/** Inconclusive is neither: nobody knows, so nobody promotes. */
export type Verdict =
  | { verdict: 'pass' }
  | { verdict: 'fail'; reason: string }
  | { verdict: 'inconclusive'; reason: string }

export const pass: Verdict = { verdict: 'pass' }
export const fail = (reason: string): Verdict => ({ verdict: 'fail', reason })
export const inconclusive = (reason: string): Verdict => ({ verdict: 'inconclusive', reason })

/** What stays from one measurement of a gate to the next, e.g. restart counts. */
export type Memory = Map<string, number>

export type Gate<Subject, Probes> = {
  name: string
  /** `10s`, `500ms`, `2m` between measurements. */
  every: string
  /** Conclusive measurements that are taken. */
  measure: number
  /** How many of them may fail. */
  mayFail: number
  /** How many more may say nothing before the whole says nothing. */
  mayBeUnclear: number
  ask(subject: Subject, probes: Probes, memory: Memory): Promise<Verdict>
}

/** A question that guards a phase. Counting is `judge`'s business; `ask` measures once. */
export const gate = <Subject, Probes>(
  name: string,
  spec: Omit<Gate<Subject, Probes>, 'name' | 'mayBeUnclear'> & { mayBeUnclear?: number },
): Gate<Subject, Probes> => {
  millis(spec.every)
  if (spec.measure < 1) throw new RangeError(`gate ${name}: measure must be at least 1`)
  // A gate that may fail every time would pass on no evidence.
  if (spec.mayFail >= spec.measure) throw new RangeError(`gate ${name}: mayFail must be less than measure`)
  return { mayBeUnclear: 3, ...spec, name }
}

export type Judging = {
  signal: AbortSignal
  onVerdict?: (verdict: Verdict, measured: { gate: string; count: number }) => void
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/**
 * Measures until the gate is decided: fail on the failure after the last that is allowed, inconclusive when its
 * budget for that is spent, pass only on `measure` conclusive answers.
 */
export const judge = async <Subject, Probes>(
  { name, every, measure, mayFail, mayBeUnclear, ask }: Gate<Subject, Probes>,
  subject: Subject,
  probes: Probes,
  { signal, onVerdict = () => undefined, sleep = (ms, stop) => delay(ms, undefined, { signal: stop }) }: Judging,
): Promise<Verdict> => {
  const memory: Memory = new Map()
  const seen = { pass: 0, fail: 0, inconclusive: 0 }
  for (let count = 1; ; count++) {
    signal.throwIfAborted()
    const verdict = await answer(() => ask(subject, probes, memory))
    signal.throwIfAborted()
    onVerdict(verdict, { gate: name, count })
    seen[verdict.verdict]++
    if (seen.fail > mayFail) return verdict
    if (seen.inconclusive > mayBeUnclear) return verdict
    if (seen.pass + seen.fail >= measure) return pass
    await sleep(millis(every), signal)
  }
}

/** A Problem while measuring (no API, no pod) says nothing about the subject. Bugs stay exceptions. */
const answer = async (ask: () => Promise<Verdict>): Promise<Verdict> => {
  try {
    return await ask()
  } catch (thrown) {
    if (thrown instanceof Problem) return inconclusive(`${thrown.message}: ${thrown.why}`)
    throw thrown
  }
}

/** The worst of several: a failure outweighs silence, silence outweighs a pass. Nothing asked is silence. */
export const worst = (verdicts: Verdict[]): Verdict =>
  verdicts.find(it => it.verdict === 'fail') ??
  verdicts.find(it => it.verdict === 'inconclusive') ??
  verdicts[0] ??
  inconclusive('there was nothing to ask')
