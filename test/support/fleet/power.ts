import type { Leadership } from '../../../src/cli/rollout/leader.ts'
import type { Entry, Journal } from '../../../src/engine/journal.ts'
import type { Firewalls } from '../../../src/rollout/allowlist/firewall.ts'
import type { Kube, Kubes } from '../../../src/rollout/kube/kube.ts'

export const NO_POWER = 'no power'

/**
 * When a run loses its power: after so many lines of its journal (`undone`: those about what is taken back), writes to
 * the API, reads of it, calls about its Lease, calls about a partner's list.
 */
export type Cut = Partial<Spent>
export type Spent = Record<'lines' | 'undone' | 'writes' | 'reads' | 'leads' | 'lists', number>

const writing = ['create', 'apply', 'patch', 'delete'] as const
const reading = ['get', 'list', 'exec', 'logs'] as const

/** What a run has done so far; `signal` is aborted when its power is cut, and it does nothing after that. */
export type Power = {
  signal: AbortSignal
  spent: Spent
  journal(kept: Journal, heard: (entry: Entry) => void): Journal
  kubes(kubes: Kubes, wrote: (how: (typeof writing)[number], what: unknown) => void): Kubes
  /** What it asks about its Lease counts as well. */
  leadership(leadership: Leadership): Leadership
  firewalls(firewalls: Firewalls): Firewalls
}

/** Is it sent like a write, and changes nothing? */
const asks = ([what, options]: unknown[]): boolean =>
  (options as { dryRun?: boolean } | undefined)?.dryRun === true ||
  /AccessReview$/.test((what as { kind?: string } | undefined)?.kind ?? '')

/**
 * A process that may die. Of the call that it dies after, the effect happens and nobody hears the answer. Whatever runs
 * on gets nothing out: no line, no call, nothing about its Lease. `really`: by SIGKILL, all of this process.
 */
export const power = ({ really, ...cut }: Cut & { really?: boolean } = {}): Power => {
  const end = new AbortController()
  const spent = { lines: 0, undone: 0, writes: 0, reads: 0, leads: 0, lists: 0 }
  const spend = (what: keyof Spent): boolean => {
    end.signal.throwIfAborted()
    spent[what]++
    return spent[what] === cut[what]
  }
  const die = (): never => {
    if (really) process.kill(process.pid, 'SIGKILL')
    end.abort(new Error(NO_POWER))
    throw end.signal.reason
  }
  // Not a race with one promise for all: it would keep every answer.
  const living = <T>(call: Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      const stop = () => reject(end.signal.reason)
      end.signal.addEventListener('abort', stop)
      call.then(resolve, reject).finally(() => end.signal.removeEventListener('abort', stop))
    })
  const called = async <T>(isLast: boolean, call: Promise<T>): Promise<T> => {
    if (!isLast) return living(call)
    await call.catch(() => undefined)
    return die()
  }
  type As = Record<'writes' | 'reads', keyof Spent>
  const wired = (kube: Kube, as: As, wrote: (how: (typeof writing)[number], what: unknown) => void): Kube => {
    const wire = (names: readonly (keyof Kube)[], what: keyof As, tell: (name: never, argument: unknown) => void) =>
      names.map(name => {
        const call = kube[name] as (...args: unknown[]) => Promise<unknown>
        const guarded = async (...args: unknown[]) => {
          const only = asks(args)
          const isLast = spend(as[only ? 'reads' : what])
          if (!only) tell(name as never, args[0])
          return called(isLast, call(...args))
        }
        return [name, guarded]
      })
    const calls = [...wire(writing, 'writes', wrote), ...wire(reading, 'reads', () => undefined)]
    return { ...kube, ...Object.fromEntries(calls) }
  }
  return {
    ...{ signal: end.signal, spent },
    journal: (kept, heard) => ({
      ...kept,
      record(entry, options) {
        const counts = ['lines' as const, ...(/^und/.test(entry.event) ? ['undone' as const] : [])]
        const isLast = counts.map(spend).includes(true)
        kept.record(entry, options)
        heard(entry)
        if (isLast) die()
      },
    }),
    kubes(kubes, wrote) {
      const made = new Map<string, Kube>()
      const kubeOf = (path: string): Kube => {
        const kube = made.get(path) ?? wired(kubes(path), { writes: 'writes', reads: 'reads' }, wrote)
        made.set(path, kube)
        return kube
      }
      return Object.assign(kubeOf, { close: kubes.close })
    },
    firewalls: firewalls => ref => {
      const { list, add, remove, ...rest } = firewalls(ref)
      return {
        ...rest,
        list: async () => called(spend('lists'), list()),
        add: async it => called(spend('lists'), add(it)),
        remove: async it => called(spend('lists'), remove(it)),
      }
    },
    leadership(leadership) {
      const made = new Map<Kube, Kube>()
      return {
        ...leadership,
        of(kubeconfig, kube) {
          const it = made.get(kube) ?? wired(kube, { writes: 'leads', reads: 'leads' }, () => undefined)
          made.set(kube, it)
          return leadership.of(kubeconfig, it)
        },
      }
    },
  }
}
