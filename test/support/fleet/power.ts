import type { Entry, Journal } from '../../../src/engine/journal.ts'
import type { Kube, Kubes } from '../../../src/rollout/kube.ts'

export const NO_POWER = 'no power'

/** When a run loses its power: after so many lines of its journal, writes to the API, or reads of it. */
export type Cut = { lines?: number; writes?: number; reads?: number }

const writing = ['create', 'apply', 'patch', 'delete'] as const
const reading = ['get', 'list', 'exec', 'logs'] as const

/** What a run has done so far; `signal` is aborted when its power is cut, and it does nothing after that. */
export type Power = {
  signal: AbortSignal
  spent: Required<Cut>
  journal(kept: Journal, heard: (entry: Entry) => void): Journal
  kubes(kubes: Kubes, wrote: (how: (typeof writing)[number], what: unknown) => void): Kubes
}

/** Is it sent like a write, and changes nothing? */
const asks = ([what, options]: unknown[]): boolean =>
  (options as { dryRun?: boolean } | undefined)?.dryRun === true ||
  /AccessReview$/.test((what as { kind?: string } | undefined)?.kind ?? '')

/** A process that may die. Of the call that it dies after, the effect happens and nobody hears the answer. */
export const power = (cut: Cut = {}): Power => {
  const end = new AbortController()
  const spent = { lines: 0, writes: 0, reads: 0 }
  const spend = (what: keyof Cut): boolean => {
    end.signal.throwIfAborted()
    spent[what]++
    return spent[what] === cut[what]
  }
  const die = (): never => {
    end.abort(new Error(NO_POWER))
    throw end.signal.reason
  }
  const wired = (kube: Kube, wrote: (how: (typeof writing)[number], what: unknown) => void): Kube => {
    const wire = (names: readonly (keyof Kube)[], what: keyof Cut, tell: (name: never, argument: unknown) => void) =>
      names.map(name => {
        const call = kube[name] as (...args: unknown[]) => Promise<unknown>
        const guarded = async (...args: unknown[]) => {
          const only = asks(args)
          const isLast = spend(only ? 'reads' : what)
          if (!only) tell(name as never, args[0])
          if (!isLast) return living(call(...args))
          await call(...args).catch(() => undefined)
          return die()
        }
        return [name, guarded]
      })
    // Not a race with one promise for all: it would keep every answer.
    const living = <T>(call: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const stop = () => reject(end.signal.reason)
        end.signal.addEventListener('abort', stop)
        call.then(resolve, reject).finally(() => end.signal.removeEventListener('abort', stop))
      })
    const calls = [...wire(writing, 'writes', wrote), ...wire(reading, 'reads', () => undefined)]
    return { ...kube, ...Object.fromEntries(calls) }
  }
  return {
    ...{ signal: end.signal, spent },
    journal: (kept, heard) => ({
      ...kept,
      record(entry, options) {
        const isLast = spend('lines')
        kept.record(entry, options)
        heard(entry)
        if (isLast) die()
      },
    }),
    kubes(kubes, wrote) {
      const made = new Map<string, Kube>()
      const kubeOf = (path: string): Kube => {
        const kube = made.get(path) ?? wired(kubes(path), wrote)
        made.set(path, kube)
        return kube
      }
      return Object.assign(kubeOf, { close: kubes.close })
    },
  }
}
