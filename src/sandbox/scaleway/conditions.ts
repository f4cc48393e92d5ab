import { type Bad, checker } from '../checked.ts'

/** What goes wrong in the emulated cloud, as asked for. Everything absent is calm. Times in ms. */
export type Conditions = {
  /** For `chance`; the same seed and the same order of calls meet the same faults. */
  seed?: number
  /** Asked in order; the first that hits decides, latencies add up. */
  faults?: Fault[]
  /** Reads answer the state of that long ago: own writes are seen late. */
  staleMs?: number
  /** The same for lists alone. */
  lagMs?: number
  /** The word of `quotas_exceeded`, and the most there may be. */
  quotas?: Record<string, number>
  rateLimit?: { perSecond: number }
  stuck?: Stuck[]
}

export type Fault = {
  /** `path` is a glob over the request path: `*` within one segment, `**` any. Absent: every call. */
  on?: { method?: string; path?: string }
  chance?: number
  /** Matching calls let through first, and calls hit at most. */
  skip?: number
  times?: number
  /** Counted from the first hit. */
  forMs?: number
  do: Effect
}

export type Effect =
  | { latencyMs: number | [number, number] }
  | { status: number; body?: unknown; headers?: Record<string, string>; after?: true }
  | { cut: 'before' | 'after' }

/** The next transition of such a thing ends in `state`; after `thenMs` it is taken up once more and goes well. */
export type Stuck = { kind: StuckKind; state: string; times?: number; thenMs?: number }

export const stuckKinds = [
  ...(['gateway', 'gateway_network', 'server', 'private_nic', 'security_group'] as const),
  ...(['volume', 'cluster', 'pool', 'database'] as const),
]
export type StuckKind = (typeof stuckKinds)[number]

/** Everything wrong with what was asked: a misspelt condition would be fair weather, and a test that proves nothing. */
export const wrongIn = (value: unknown, quotaWords: (word: string) => boolean): string[] => {
  const bad: Bad = []
  const { record, list, number, text, oneOf, only } = checker(bad)
  const fault = (it: unknown, at: string) => {
    if (!record(it, at)) return
    only(it, at, ['on', 'chance', 'skip', 'times', 'forMs', 'do'])
    for (const key of ['skip', 'times', 'forMs'] as const) number(it[key], `${at}.${key}`)
    number(it.chance, `${at}.chance`, 1)
    if (it.on !== undefined && record(it.on, `${at}.on`)) {
      only(it.on, `${at}.on`, ['method', 'path'])
      for (const key of ['method', 'path'] as const) text(it.on[key], `${at}.on.${key}`)
    }
    effect(it.do, `${at}.do`)
  }
  const effect = (it: unknown, at: string) => {
    if (!record(it, at)) return
    if ('latencyMs' in it) {
      only(it, at, ['latencyMs'])
      for (const ms of Array.isArray(it.latencyMs) ? it.latencyMs : [it.latencyMs]) number(ms, `${at}.latencyMs`)
    } else if ('cut' in it) {
      only(it, at, ['cut'])
      oneOf(it.cut, `${at}.cut`, ['before', 'after'])
    } else if ('status' in it) {
      only(it, at, ['status', 'body', 'headers', 'after'])
      number(it.status, `${at}.status`, 599, 200)
      if (it.headers !== undefined && record(it.headers, `${at}.headers`))
        for (const [name, one] of Object.entries(it.headers)) text(one, `${at}.headers.${name}`)
    } else bad.push(`${at} needs one of latencyMs, status, cut`)
  }

  if (!record(value, 'conditions')) return bad
  only(value, 'conditions', ['seed', 'faults', 'staleMs', 'lagMs', 'quotas', 'rateLimit', 'stuck'])
  for (const key of ['seed', 'staleMs', 'lagMs'] as const) number(value[key], key)
  list(value.faults, 'faults').forEach((it, index) => void fault(it, `faults[${index}]`))
  list(value.stuck, 'stuck').forEach((it, index) => {
    const at = `stuck[${index}]`
    if (!record(it, at)) return
    only(it, at, ['kind', 'state', 'times', 'thenMs'])
    oneOf(it.kind, `${at}.kind`, stuckKinds)
    if (typeof it.state !== 'string') bad.push(`${at}.state must be a text`)
    for (const key of ['times', 'thenMs'] as const) number(it[key], `${at}.${key}`)
  })
  if (value.quotas !== undefined && record(value.quotas, 'quotas'))
    for (const [word, most] of Object.entries(value.quotas)) {
      if (!quotaWords(word)) bad.push(`quotas.${word} is not counted here`)
      number(most, `quotas.${word}`)
    }
  if (value.rateLimit !== undefined && record(value.rateLimit, 'rateLimit')) {
    only(value.rateLimit, 'rateLimit', ['perSecond'])
    number(value.rateLimit.perSecond ?? null, 'rateLimit.perSecond')
  }
  return bad
}
