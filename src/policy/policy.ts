export type Effect = 'allow' | 'deny'

/** A tunnel, or a plain HTTP request. */
export type Protocol = 'connect' | 'http'

/** `*` is every port: what a deny entry without ports means. */
export type Ports = number[] | '*'

/** One line of a policy: who is named, and what of it is let through or refused. */
export type Rule = {
  /** `allow:.github.com`, `deny:api.x.example`; `allow-all:`, `deny-all:` of the context. Unique, of [a-z0-9._:/-]. */
  id: string
  effect: Effect
  /** Normalised: `x.example` exactly, `.x.example` and everything below it, or a canonical address literal. */
  name: string
  connect: Ports
  http: Ports
  /** Of plain HTTP; null: all that the proxy takes. Nobody sees the methods inside a tunnel. */
  methods: string[] | null
  /** YYYY-MM-DD, the last day it holds (UTC). */
  expires: string | null
  comment: string | null
  requestedBy: string | null
}

export type Mode = 'enforce' | 'report'

/** What one tenant may reach. Rules are in `byName` order: the first that matches a name is the one that is told. */
export type Policy = { tenant: string; mode: Mode; rules: Rule[] }

export type Request = {
  method: string
  protocol: Protocol
  /** Of plain HTTP; of a tunnel it says nothing. */
  scheme: string
  /** As the client wrote it, without the brackets of IPv6. */
  host: string
  port: number
  /** Of a URL in plain HTTP, where it is known. */
  login?: boolean
  path?: string
  /** What the name resolved to; empty: to nothing; absent: nobody has looked. */
  resolved?: string[]
  /** An ISO time or date; absent: now. */
  at?: string
}

export type Decision = { verdict: 'allowed' | 'denied' | 'would_deny'; rule: string; why: string }

/** The methods that the proxy takes, besides CONNECT. */
export const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * What refuses a request although no entry says so. A name that is listed for another port, or other methods, is
 * refused as `port` or `method`; like `not-listed` these only become `would_deny` in report mode, so that listing a
 * name never refuses more than not listing it. A method that the proxy does not take is `method` and always denied.
 */
export const structural = [
  ...['client', 'manager', 'connections', 'method', 'scheme', 'port', 'authority', 'inner', 'unresolved', 'sni'],
  ...['certificate', 'not-listed', 'no-policy', 'malformed'],
] as const

/** Denials first; by reversed labels, so that neighbours are related; a name before everything below it. */
export const byName = (a: Rule, b: Rule): number => {
  if (a.effect !== b.effect) return a.effect === 'deny' ? -1 : 1
  const [one, other] = [keyOf(a.name), keyOf(b.name)]
  if (one !== other) return one < other ? -1 : 1
  return Number(a.name.startsWith('.')) - Number(b.name.startsWith('.'))
}

const keyOf = (name: string): string =>
  name.includes(':') ? name : name.replace(/^\./, '').split('.').reverse().join(' ')
