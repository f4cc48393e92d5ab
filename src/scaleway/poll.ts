import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { isPassing } from './problems.ts'
import type { Meaning, States } from './states.ts'

/** What a wait needs of a Report; `signal` stops it at once. */
export type Waiter = Pick<Report, 'waiting' | 'signal'>

export type Wait<T> = {
  /** e.g. `gateway egress` */
  what: string
  look: () => Promise<T | null>
  /** The word for its state; a thing that is not there is `gone`. */
  state: (thing: T) => string
  /** What each word means; one that is not in it is told as unknown, and taken for on its way. */
  states: States
  /** Where the wait ends well, if not where `states` says. Then nothing is bad but what `bad` says. */
  good?: string[]
  /** Where it will not get better. Believed only after it stayed for `patienceMs`: some fail in passing. */
  bad?: string[]
  patienceMs?: number
  /** It must be there, and `gone` is believed after so long: a look may lag behind a create. Absent: it may go. */
  goneMs?: number
  withinMs: number
}

/** Looks at once, then less and less often, until the state is good. */
export const until = async <T>(report: Waiter, wait: Wait<T>): Promise<T | null> => {
  const { what, look, state, patienceMs = 0, goneMs, withinMs } = wait
  const good = wait.good ?? those('good', wait.states)
  const bad = wait.bad ?? (wait.good ? [] : those('bad', wait.states))
  const started = performance.now()
  let stay: { word: string; since: number } | undefined
  for (const pauseMs of growing()) {
    const seen = await look().then(
      thing => ({ thing }),
      error => ({ error }),
    )
    const elapsed = performance.now() - started
    if ('error' in seen) {
      // An API that stumbles says nothing about the thing: only the deadline ends the wait.
      if (!isPassing(seen.error) || elapsed > withinMs) throw seen.error
      report.waiting(`${what}: the API does not answer`)
    } else {
      const now = seen.thing === null ? 'gone' : state(seen.thing)
      if (good.includes(now)) return seen.thing
      const patience = now === 'gone' ? goneMs : bad.includes(now) ? patienceMs : undefined
      if (stay?.word !== now) stay = { word: now, since: elapsed }
      if (patience !== undefined && elapsed - stay.since >= patience) throw stuck(what, now, good)
      if (elapsed > withinMs) throw late(what, now, good, withinMs)
      report.waiting(`${what}: ${now}${now === 'gone' || now in wait.states ? '' : ' (a state unknown here)'}`)
    }
    await sleep(pauseMs, undefined, { signal: report.signal })
  }
  return null
}

const those = (meaning: Meaning, states: States): string[] => Object.keys(states).filter(it => states[it] === meaning)

const stuck = (what: string, now: string, good: string[]) =>
  new Problem(`${what} is ${now}`, {
    why: `it should become ${good.join(' or ')} and does not get there from ${now}`,
    next: 'look at it in the Scaleway console, mend or delete it there, then run the same command again',
  })

const late = (what: string, now: string, good: string[], withinMs: number) =>
  new Problem(`${what} is still ${now}`, {
    why: `it should be ${good.join(' or ')} within ${Math.round(withinMs / 1000)} s`,
    next: 'run the same command again to wait on, or give it longer with scaleway.deadlines in context.yaml',
  })

/** `until` for things that must be there at the end. */
export const become = async <T>(report: Waiter, wait: Wait<T>): Promise<T> => {
  const thing = await until(report, { goneMs: 10_000, ...wait })
  if (thing === null) throw new Error(`${wait.what} ended well and is not there`)
  return thing
}

/** What was made a moment ago, in whatever state: looks may not show it yet. null: not there for `goneMs`. */
export const appear = async <T>(
  report: Waiter,
  { what, look, goneMs = 10_000 }: Pick<Wait<T>, 'what' | 'look' | 'goneMs'>,
): Promise<T | null> => {
  const started = performance.now()
  for (const pauseMs of growing()) {
    const thing = await look()
    if (thing !== null || performance.now() - started > goneMs) return thing
    report.waiting(`${what}: not to be seen yet`)
    await sleep(pauseMs, undefined, { signal: report.signal })
  }
  return null
}

/**
 * `become`, until what was changed is to be seen too: the looks right after a change may still show how it was.
 * What has not arrived after `arrivesMs` is given back as it is, and the next plan shows it.
 */
export const arrive = async <T>(
  report: Waiter,
  { arrived, arrivesMs = 15_000, ...wait }: Wait<T> & { arrived: (thing: T) => boolean; arrivesMs?: number },
): Promise<T> => {
  const started = performance.now()
  for (const pauseMs of growing()) {
    const thing = await become(report, wait)
    if (arrived(thing) || performance.now() - started > arrivesMs) return thing
    report.waiting(`${wait.what}: not changed yet`)
    await sleep(pauseMs, undefined, { signal: report.signal })
  }
  throw new Error('unreachable')
}

/** The thing, unless it is on its way out: then it is waited for, and counts as not there. */
export const staying = async <T>(
  report: Waiter,
  { leaving, ...wait }: Pick<Wait<T>, 'what' | 'look' | 'state' | 'states' | 'withinMs'> & { leaving: string[] },
): Promise<T | null> => {
  const thing = await wait.look()
  if (thing === null || !leaving.includes(wait.state(thing))) return thing
  return until(report, { ...wait, good: ['gone'] })
}

/** Does `act` again while it is refused for a reason that passes, e.g. a busy gateway or a network still in use. */
export const insist = async <T>(
  report: Waiter,
  {
    what,
    act,
    passing,
    withinMs,
  }: { what: string; act: () => Promise<T>; passing: (error: unknown) => boolean; withinMs: number },
): Promise<T> => {
  const started = performance.now()
  for (const pauseMs of growing()) {
    try {
      return await act()
    } catch (error) {
      if (!passing(error) || performance.now() - started > withinMs) throw error
    }
    report.waiting(what)
    await sleep(pauseMs, undefined, { signal: report.signal })
  }
  throw new Error('unreachable')
}

/**
 * Pauses of about a tenth of what was waited already, 50 ms to 5 s: what is awaited is seen at most a tenth too late.
 * They end on common ticks, so that many who wait for their part of one list ask for it together.
 */
function* growing(fromMs = 50, toMs = 5000): Generator<number> {
  const started = performance.now()
  for (;;) {
    const now = performance.now()
    const most = Math.min(toMs, Math.max(fromMs, (now - started) / 8))
    const tick = fromMs * 2 ** Math.floor(Math.log2(most / fromMs))
    const rest = tick - (now % tick)
    yield rest < tick / 2 ? rest + tick : rest
  }
}
