import type { AuditLine } from './audit-line.ts'
import type { Mode, Policy } from './policy.ts'
import { suggestAllow } from './suggest.ts'
import { createTally, type Folded } from './tally.ts'

export type Totals = {
  requests: number
  allowed: number
  denied: number
  wouldDeny: number
  /** What was no request that anybody could decide about. */
  undecided: number
  tunnels: number
  /** From the clients. */
  bytesIn: number
  /** To the clients. */
  bytesOut: number
}

export type Destination = Totals & { host: string; port: number | null; lastSeen: string }

/** `client` is the address that asked, `from` the node or pod that has it, where that is known. */
export type Denial = {
  host: string
  port: number | null
  method: string
  rule: string
  client: string
  from: string | null
  requests: number
  lastSeen: string
}

export type Slice = { start: string; allowed: number; denied: number; wouldDeny: number }

export type UnusedRule = { rule: string; comment: string | null; requestedBy: string | null; expires: string | null }

export type TenantReport = {
  /** `-`: requests of nobody's client addresses. */
  tenant: string
  /** null: the inventory knows no such tenant. */
  mode: Mode | null
  totals: Totals
  revisions: string[]
  slices: Slice[]
  destinations: Destination[]
  denials: Denial[]
  wouldBe: Denial[]
  /** Allow entries that would cover the would-be denials, as YAML for the tenant's file; empty: none. */
  suggested: string
  unused: UnusedRule[]
  /** What the lists leave out. */
  more: { destinations: Folded; denials: Folded; wouldBe: Folded }
}

/** Where the lines came from. `problem`: why the log of this proxy is not, or not wholly, in the report. */
export type Source = { proxy: string; lines: number; unparsable: number; problem: string | null }

export type Report = {
  context: string
  since: string
  until: string
  sliceSeconds: number
  sources: Source[]
  totals: Totals
  tenants: TenantReport[]
}

export type ReportOptions = {
  context: string
  /** Milliseconds. */
  since: number
  until: number
  /** Of the inventory as it is now: what was not used is told of these. */
  policies: readonly Policy[]
  /** The node or pod behind a client's address at a time. */
  from?: (client: string, time: number) => string | null
  /** How many different destinations, denials and would-be denials are kept for each tenant. */
  most?: number
}

/** Adds line after line, in memory that does not grow with the log, and says at the end what they come to. */
export const createReport = ({ context, since, until, policies, from = () => null, most = 2000 }: ReportOptions) => {
  const sliceMs = sliceFor(until - since)
  const totals = noTotals()
  const tenants = new Map<string, ReturnType<typeof gathering>>()
  const of = (tenant: string) => {
    const known = tenants.get(tenant)
    if (known) return known
    const made = gathering(most)
    tenants.set(tenant, made)
    return made
  }
  for (const it of policies) of(it.tenant)
  return {
    add(line: AuditLine) {
      if (line.time < since || line.time > until) return
      count(totals, line)
      of(line.tenant ?? '-').add(line, from, Math.floor((line.time - since) / sliceMs))
    },
    end(sources: Source[]): Report {
      const order = (name: string) => (name === '-' ? '~' : name)
      const parts = [...tenants].sort(([a], [b]) => (order(a) < order(b) ? -1 : 1))
      return {
        ...{ context, since: iso(since), until: iso(until), sliceSeconds: sliceMs / 1000, sources, totals },
        tenants: parts.map(([tenant, it]) => ({
          tenant,
          ...it.end(
            policies.find(policy => policy.tenant === tenant),
            at => iso(since + at * sliceMs),
            Math.ceil((until - since) / sliceMs),
          ),
        })),
      }
    },
  }
}

const gathering = (most: number) => {
  const totals = noTotals()
  const revisions = new Set<string>()
  const rules = new Set<string>()
  const slices = new Map<number, Omit<Slice, 'start'>>()
  const destinations = createTally<Destination>(most)
  const denials = createTally<Denial>(most)
  const wouldBe = createTally<Denial>(most)
  return {
    add(line: AuditLine, from: (client: string, time: number) => string | null, slice: number) {
      const { host, port, method, rule, client, verdict, revision } = line
      count(totals, line)
      if (revision !== '-' && revisions.size < 1000) revisions.add(revision)
      if (rules.size < 200_000) rules.add(rule)
      if (!verdict) return
      const during = slices.get(slice) ?? { allowed: 0, denied: 0, wouldDeny: 0 }
      slices.set(slice, during)
      during[word[verdict]]++
      const lastSeen = iso(line.time)
      const destination = destinations.of(`${host}\n${port}`, () => ({ host, port, ...noTotals(), lastSeen }))
      count(destination, line)
      destination.lastSeen = later(destination.lastSeen, lastSeen)
      if (verdict === 'allowed') return
      const named = from(client, line.time)
      const key = [host, port, method, rule, client, named].join('\n')
      const denial = (verdict === 'denied' ? denials : wouldBe).of(key, () => ({
        ...{ host, port, method, rule, client, from: named, requests: 0, lastSeen },
      }))
      denial.requests++
      denial.lastSeen = later(denial.lastSeen, lastSeen)
    },
    end(policy: Policy | undefined, start: (slice: number) => string, count: number): Omit<TenantReport, 'tenant'> {
      const nothing = { allowed: 0, denied: 0, wouldDeny: 0 }
      const would = wouldBe.list()
      return {
        mode: policy?.mode ?? null,
        totals,
        revisions: [...revisions].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
        slices: Array.from({ length: count }, (_, at) => ({ start: start(at), ...(slices.get(at) ?? nothing) })),
        destinations: destinations.list(),
        denials: denials.list(),
        wouldBe: would,
        suggested: suggestAllow(would),
        unused: (policy?.rules ?? [])
          .filter(it => it.effect === 'allow' && !rules.has(it.id))
          .map(({ id, comment, requestedBy, expires }) => ({ rule: id, comment, requestedBy, expires })),
        more: { destinations: destinations.folded, denials: denials.folded, wouldBe: wouldBe.folded },
      }
    },
  }
}

const word = { allowed: 'allowed', denied: 'denied', would_deny: 'wouldDeny' } as const

const noTotals = (): Totals => ({
  ...{ requests: 0, allowed: 0, denied: 0, wouldDeny: 0, undecided: 0, tunnels: 0, bytesIn: 0, bytesOut: 0 },
})

const count = (totals: Totals, { verdict, method, status, bytesIn, bytesOut }: AuditLine) => {
  totals.requests++
  totals[verdict ? word[verdict] : 'undecided']++
  if (method === 'CONNECT' && status === 200 && verdict !== 'denied') totals.tunnels++
  totals.bytesIn += bytesIn
  totals.bytesOut += bytesOut
}

/** At most about 50 slices: minutes for an hour, hours for two days, days for a month. */
const sliceFor = (ms: number): number => {
  const minutes = [1, 2, 5, 15, 30, 60, 120, 360, 720, 1440]
  const enough = minutes.find(it => ms / (it * 60_000) <= 50)
  return (enough ?? Math.ceil(ms / (50 * 86_400_000)) * 1440) * 60_000
}

const iso = (ms: number) => new Date(ms).toISOString()

const later = (a: string, b: string) => (a > b ? a : b)
