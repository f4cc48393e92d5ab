import type { Limits } from '../../chances.ts'
import { type Bad, checker } from '../../checked.ts'

/** What goes wrong in the emulated Kubernetes, as asked for. Absent: all is well. Times in ms. */
export type Conditions = { seed?: number; faults?: Fault[] }

/** Asked in order; the first that hits decides, latencies add up. */
export type Fault = Limits & { on?: On; do: Effect }

/** `verb` as in RBAC (also `watch`), `resource` a plural with its subresource, the rest globs. Absent: every call. */
export type On = { verb?: string | string[]; resource?: string | string[]; namespace?: string; name?: string }

export type Effect =
  | { latencyMs: number | [number, number] }
  | { status: number; reason?: string; message?: string; retryAfterSeconds?: number; after?: true }
  | { cut: 'before' | 'after' }
  | { hang: 'before' | 'after'; ms?: number }
  | { watch: WatchTrouble }

/** How one watch suffers: nothing comes any more, everything comes late, it ends, or it is told 410 at once. */
export type WatchTrouble = { silentAfterMs?: number; lateMs?: number; cutAfterMs?: number; expired?: true }

const effects = ['latencyMs', 'status', 'cut', 'hang', 'watch'] as const

/** Everything wrong with what was asked: a misspelt condition would be fair weather, and a test that proves nothing. */
export const wrongIn = (value: unknown): string[] => {
  const bad: Bad = []
  const { record, list, number, text, oneOf, only } = checker(bad)
  const texts = (it: unknown, at: string) => {
    for (const one of Array.isArray(it) ? it : [it]) text(one, at)
  }
  const effect = (it: unknown, at: string) => {
    if (!record(it, at)) return
    const which = effects.find(name => name in it)
    if (which === 'latencyMs') {
      only(it, at, ['latencyMs'])
      for (const ms of Array.isArray(it.latencyMs) ? it.latencyMs : [it.latencyMs]) number(ms, `${at}.latencyMs`)
    } else if (which === 'status') {
      only(it, at, ['status', 'reason', 'message', 'retryAfterSeconds', 'after'])
      number(it.status, `${at}.status`, 599, 400)
      number(it.retryAfterSeconds, `${at}.retryAfterSeconds`)
      for (const key of ['reason', 'message'] as const) text(it[key], `${at}.${key}`)
    } else if (which === 'cut') {
      only(it, at, ['cut'])
      oneOf(it.cut, `${at}.cut`, ['before', 'after'])
    } else if (which === 'hang') {
      only(it, at, ['hang', 'ms'])
      oneOf(it.hang, `${at}.hang`, ['before', 'after'])
      number(it.ms, `${at}.ms`)
    } else if (which === 'watch' && record(it.watch, `${at}.watch`)) {
      const times = ['silentAfterMs', 'lateMs', 'cutAfterMs'] as const
      only(it.watch, `${at}.watch`, [...times, 'expired'])
      for (const key of times) number(it.watch[key], `${at}.watch.${key}`)
    } else bad.push(`${at} needs one of ${effects.join(', ')}`)
  }
  if (!record(value, 'conditions')) return bad
  only(value, 'conditions', ['seed', 'faults'])
  number(value.seed, 'seed')
  list(value.faults, 'faults').forEach((it, index) => {
    const at = `faults[${index}]`
    if (!record(it, at)) return
    only(it, at, ['on', 'chance', 'skip', 'times', 'forMs', 'do'])
    for (const key of ['skip', 'times', 'forMs'] as const) number(it[key], `${at}.${key}`)
    number(it.chance, `${at}.chance`, 1)
    if (it.on !== undefined && record(it.on, `${at}.on`)) {
      only(it.on, `${at}.on`, ['verb', 'resource', 'namespace', 'name'])
      for (const key of ['verb', 'resource', 'namespace', 'name'] as const) texts(it.on[key], `${at}.on.${key}`)
    }
    effect(it.do, `${at}.do`)
  })
  return bad
}
