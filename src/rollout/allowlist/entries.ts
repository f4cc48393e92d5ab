import { setTimeout as delay } from 'node:timers/promises'
import type { Report } from '../../engine/kind.ts'
import { Problem } from '../../engine/problem.ts'
import type { Entry, Firewall } from './firewall.ts'

/** How long a change may take until it is read back, and looks that fail are repeated. */
const WITHIN_MS = 60_000
/** A change that was answered well is to be seen after so long, or it is made again. */
const SEEN_MS = 10_000

export type Told = Pick<Report, 'waiting' | 'progress' | 'signal'> & { what: string; withinMs?: number }

/** The list as it is now; looks that fail in passing are repeated. */
export const listEntries = (firewall: Firewall, told: Told): Promise<Entry[]> =>
  bring(
    firewall,
    () => true,
    async () => undefined,
    told,
  )

/** Lets a range in and reads it back. The intent is told before, what came of it after. */
export const letIn = async (firewall: Firewall, entry: Entry, told: Told): Promise<Entry[]> => {
  const { range } = entry
  told.progress(`let ${range} in`, entry)
  const entries = await bring(
    firewall,
    all => holds(all, range),
    () => firewall.add(entry),
    told,
  )
  told.progress(`${range} is let in`, ranges(entries))
  return entries
}

/** Takes a range out and reads that back. Nobody is left without a way in: the last entry stays, and `keep` is there. */
export const takeOut = async (
  firewall: Firewall,
  { range, keep }: { range: string; keep: readonly string[] },
  told: Told,
): Promise<Entry[]> => {
  refuseNarrowing(await listEntries(firewall, told), range, keep, told.what)
  told.progress(`take ${range} out`, { range, keep: [...keep] })
  const entries = await bring(
    firewall,
    all => !holds(all, range),
    async () => {
      refuseNarrowing(await firewall.list(), range, keep, told.what)
      await firewall.remove(range)
    },
    told,
  )
  told.progress(`${range} is out`, ranges(entries))
  return entries
}

export const holds = (entries: readonly Entry[], range: string): boolean => entries.some(it => it.range === range)

const ranges = (entries: readonly Entry[]): string[] => entries.map(it => it.range)

/** Throws where taking a range out would leave what must get in outside, or the list empty. */
export const refuseNarrowing = (
  entries: readonly Entry[],
  range: string,
  keep: readonly string[],
  what: string,
): void => {
  const left = entries.filter(it => it.range !== range)
  const missing = keep.filter(it => !holds(left, it))
  if (missing.length === 0 && left.length > 0) return
  throw new Problem(`${what}: ${range} stays`, {
    why:
      missing.length > 0 ? `without it the list would lack ${missing.join(', ')}` : 'it is the last entry of the list',
    next: 'let in what must get in, then run again; nothing was taken out',
  })
}

/**
 * Acts until the list is as it should be: looks first, so that what an earlier try did is not done twice; and looks once
 * more when it is refused, for tenants that share a list may do the same at the same time.
 */
const bring = async (
  firewall: Firewall,
  isSo: (entries: Entry[]) => boolean,
  act: () => Promise<void>,
  { what, waiting, signal, withinMs = firewall.withinMs ?? WITHIN_MS }: Told,
): Promise<Entry[]> => {
  const began = performance.now()
  let actedAt: number | undefined
  let refused: unknown
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 5000)) {
    signal.throwIfAborted()
    let stumbled: unknown
    try {
      const entries = await firewall.list()
      if (isSo(entries)) return entries
      if (refused !== undefined) throw refused
      if (actedAt === undefined || performance.now() - actedAt > SEEN_MS) {
        await act().catch(error => {
          if (firewall.passing(error)) throw error
          refused = error
        })
        actedAt = performance.now()
        continue
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!firewall.passing(error)) throw error
      stumbled = error
      // Nobody knows what came of it: the next look tells.
      actedAt = undefined
    }
    if (performance.now() - began > withinMs) throw late(what, withinMs, stumbled)
    waiting(`${what}: ${stumbled instanceof Error ? stumbled.message : 'not changed yet'}`)
    await delay(pauseMs, undefined, { signal })
  }
}

/** A Problem of the partner's says it best. */
const late = (what: string, withinMs: number, stumbled: unknown): Problem =>
  stumbled instanceof Problem
    ? stumbled
    : new Problem(`${what} does not show what was changed`, {
        why: `${stumbled instanceof Error ? stumbled.message : 'the change was taken, and is not in the list'} after ${withinMs / 1000} s`,
        next: 'look at the list on their side, then run again',
      })
