import type { AuditLine, Verdict } from './audit-line.ts'
import { decide } from './decide.ts'
import type { Policy } from './policy.ts'
import { createTally, type Folded } from './tally.ts'

/**
 * `cut`: was let through, would be refused. `opened`: the other way. `told`: the same for who asked, but report mode
 * would tell it another way.
 */
export type FlipSort = 'cut' | 'opened' | 'told'

/** Requests that look the same and would end otherwise: what the log says, and what the policy would. */
export type Flip = {
  sort: FlipSort
  tenant: string
  host: string
  port: number
  method: string
  client: string
  /** The node or pod that has the address, where that is known. */
  from: string | null
  was: { verdict: Verdict; rule: string }
  now: { verdict: Verdict; rule: string; why: string }
  requests: number
  lastSeen: string
}

export type Replay = {
  since: string
  until: string
  /** Requests of these tenants that were asked again. */
  asked: number
  /** Those that no policy decides: who asks, what is no request, where a name leads. */
  apart: number
  flips: Flip[]
  more: Folded
}

export type ReplayOptions = {
  /** Milliseconds. */
  since: number
  until: number
  /** As the inventory has them now. */
  policies: readonly Policy[]
  /** Ranges of our own that no name may lead to. */
  inner?: readonly string[]
  from?: (client: string, time: number) => string | null
  most?: number
}

// Refused before a policy is asked, or for where a name led that day.
const apart = new Set([
  'client',
  'certificate',
  'manager',
  'connections',
  'scheme',
  'authority',
  'inner',
  'unresolved',
  'sni',
  'malformed',
])

/** Asks a policy again about every request of a log, and keeps those that would end otherwise. Today's date counts. */
export const createReplay = ({ since, until, policies, inner = [], from = () => null, most = 2000 }: ReplayOptions) => {
  const known = new Map(policies.map(it => [it.tenant, it]))
  const flips = createTally<Flip>(most)
  const at = new Date(until).toISOString()
  const counts = { asked: 0, apart: 0 }
  const ask = remembering((policy: Policy, line: AuditLine) =>
    decide(
      policy,
      {
        method: line.method,
        protocol: line.method === 'CONNECT' ? 'connect' : 'http',
        ...{ scheme: 'http', host: line.host, port: line.port!, at },
        ...(line.resolved && { resolved: [line.resolved] }),
      },
      { inner },
    ),
  )
  return {
    add(line: AuditLine) {
      const policy = line.tenant === null ? undefined : known.get(line.tenant)
      if (!policy || line.time < since || line.time > until) return
      const { host, port, method, client, verdict } = line
      if (verdict === null || port === null || apart.has(line.rule)) return void counts.apart++
      counts.asked++
      const now = ask(policy, line)
      if (now.verdict === verdict) return
      const named = from(client, line.time)
      const lastSeen = new Date(line.time).toISOString()
      const key = [policy.tenant, host, port, method, client, named, verdict, line.rule].join('\n')
      const flip = flips.of(key, () => ({
        sort: sortOf(verdict, now.verdict),
        ...{ tenant: policy.tenant, host, port, method, client, from: named },
        ...{ was: { verdict, rule: line.rule }, now, requests: 0, lastSeen },
      }))
      flip.requests++
      if (lastSeen > flip.lastSeen) flip.lastSeen = lastSeen
    },
    end: (): Replay => ({
      ...{ since: new Date(since).toISOString(), until: at, ...counts },
      // What would be cut off is what an operator must see first.
      flips: flips.list().sort((a, b) => order.indexOf(a.sort) - order.indexOf(b.sort)),
      more: flips.folded,
    }),
  }
}

const order: FlipSort[] = ['cut', 'opened', 'told']

const sortOf = (was: Verdict, now: Verdict): FlipSort => {
  if (was === 'denied') return 'opened'
  return now === 'denied' ? 'cut' : 'told'
}

/** A log says the same thing many times. What is remembered is let go now and then, whoever asks. */
const remembering = <Answer>(answer: (policy: Policy, line: AuditLine) => Answer) => {
  const known = new Map<string, Answer>()
  return (policy: Policy, line: AuditLine): Answer => {
    const key = [policy.tenant, line.method, line.host, line.port, line.resolved].join('\n')
    const before = known.get(key)
    if (before !== undefined) return before
    if (known.size >= 10_000) known.clear()
    const now = answer(policy, line)
    known.set(key, now)
    return now
  }
}
