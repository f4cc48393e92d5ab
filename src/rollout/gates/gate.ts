import { setTimeout as delay } from 'node:timers/promises'
import { millis } from '../../engine/duration.ts'
import { Problem } from '../../engine/problem.ts'
import { assess, type Limits, type Measurement, unprovable, usualLimits, type Verdict } from './measure.ts'

/** What stays from one measurement of a gate to the next, e.g. restart counts. */
export type Memory = Map<string, number>

export type Gate<Subject, Probes> = Limits & {
  name: string
  /** One measurement. A Problem that it throws is an error: the measurement could not be taken. */
  ask(subject: Subject, probes: Probes, memory: Memory): Promise<Verdict>
}

/** A question that guards a phase. Counting is the business of measure.ts; `ask` measures once. */
export const gate = <Subject, Probes>(
  name: string,
  { ask, ...limits }: Partial<Limits> & Pick<Gate<Subject, Probes>, 'ask'>,
): Gate<Subject, Probes> => {
  const made = { ...usualLimits, ...limits, name, ask }
  millis(made.interval)
  millis(made.initialDelay)
  if (made.count < 1) throw new RangeError(`gate ${name}: count must be at least 1`)
  const why = unprovable(made)
  if (why) throw new RangeError(`gate ${name}: ${why}`)
  return made
}

export type Judging = {
  signal: AbortSignal
  onMeasurement?: (measurement: Measurement, measured: { gate: string; count: number }) => void
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** Of an earlier judgement about the same subject. */
  memory?: Memory
  /** Asked once more after a pause: the initial delay is over. */
  again?: boolean
}

/** Measures until the gate is decided. */
export const judge = async <Subject, Probes>(
  gate: Gate<Subject, Probes>,
  subject: Subject,
  probes: Probes,
  {
    signal,
    onMeasurement = () => undefined,
    sleep = (ms, stop) => delay(ms, undefined, { signal: stop }),
    memory = new Map(),
    again = false,
  }: Judging,
): Promise<Verdict> => {
  const measurements: Measurement[] = []
  const first = again ? 0 : millis(gate.initialDelay)
  if (first > 0) await sleep(first, signal)
  for (;;) {
    signal.throwIfAborted()
    const measurement = await answer(() => gate.ask(subject, probes, memory))
    signal.throwIfAborted()
    measurements.push(measurement)
    onMeasurement(measurement, { gate: gate.name, count: measurements.length })
    const verdict = assess(gate, measurements)
    if (verdict) return verdict
    await sleep(millis(gate.interval), signal)
  }
}

/** Bugs stay exceptions. */
const answer = async (ask: () => Promise<Verdict>): Promise<Measurement> => {
  try {
    return await ask()
  } catch (thrown) {
    if (thrown instanceof Problem) return { verdict: 'error', reason: `${thrown.message}: ${thrown.why}` }
    throw thrown
  }
}

/** The shortest and the longest that asking takes when nothing fails, without the asking itself. In seconds. */
export const secondsOf = ({ interval, count, initialDelay }: Limits): number =>
  (millis(initialDelay) + millis(interval) * (count - 1)) / 1000
