import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'

/** What a wait needs of a Report; `signal` stops it at once. */
export type Waiter = Pick<Report, 'waiting' | 'signal'>

export type Wait<T> = {
  /** e.g. `gateway egress` */
  what: string
  look: () => Promise<T | null>
  /** The word for its state; a thing that is not there is `gone`. */
  state: (thing: T) => string
  /** Where the wait ends well. Everything in neither list is on its way. */
  good: string[]
  /** Where it will not get better. Believed only after it stayed for `patienceMs`: some fail in passing. */
  bad?: string[]
  patienceMs?: number
  withinMs: number
}

/** Looks at once, then less and less often (50 ms to 5 s), until the state is good. */
export const until = async <T>(report: Waiter, wait: Wait<T>): Promise<T | null> => {
  const { what, look, state, good, bad = [], patienceMs = 0, withinMs } = wait
  const started = performance.now()
  let badSince: number | null = null
  for (const pauseMs of growing()) {
    const thing = await look()
    const now = thing === null ? 'gone' : state(thing)
    if (good.includes(now)) return thing
    const elapsed = performance.now() - started
    badSince = bad.includes(now) ? (badSince ?? elapsed) : null
    if (badSince !== null && elapsed - badSince >= patienceMs)
      throw new Problem(`${what} is ${now}`, {
        why: `it should become ${good.join(' or ')} and does not get there from ${now}`,
        next: 'look at it in the Scaleway console, mend or delete it there, then run the same command again',
      })
    if (elapsed > withinMs)
      throw new Problem(`${what} is still ${now}`, {
        why: `it should be ${good.join(' or ')} within ${Math.round(withinMs / 1000)} s`,
        next: 'run the same command again to wait on; look at it in the Scaleway console if it stays',
      })
    report.waiting(`${what}: ${now}`)
    await sleep(pauseMs, undefined, { signal: report.signal })
  }
  return null
}

/** `until` for things that must be there at the end. */
export const become = async <T>(report: Waiter, wait: Wait<T>): Promise<T> => {
  const thing = await until(report, {
    ...wait,
    bad: [...(wait.bad ?? []), 'gone'],
    patienceMs: wait.patienceMs ?? 2000,
  })
  if (thing === null) throw new Error(`${wait.what} ended well and is not there`)
  return thing
}

/** The thing, unless it is on its way out: then it is waited for, and counts as not there. */
export const staying = async <T>(
  report: Waiter,
  { leaving, ...wait }: Pick<Wait<T>, 'what' | 'look' | 'state' | 'withinMs'> & { leaving: string[] },
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

function* growing(fromMs = 50, toMs = 5000): Generator<number> {
  for (let ms = fromMs; ; ms = Math.min(toMs, ms * 1.5)) yield ms
}
