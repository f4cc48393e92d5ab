import { isIP } from 'node:net'
import { innerRange } from './inner.ts'
import { hostOf, lookups } from './name.ts'
import { type Decision, type Policy, type Ports, type Request, type Rule, verbs } from './policy.ts'

/**
 * What the proxy answers to a request: structure, then denials, then what is allowed, then where the name leads.
 * Among rules of one effect the nearest name is told. `inner`: own ranges besides the special ones.
 */
export const decide = (policy: Policy, request: Request, { inner = [] as readonly string[] } = {}): Decision => {
  const { method, protocol, scheme, port } = request
  if (protocol === 'http' && isManager(request.path))
    return denied('manager', 'on every host that path is the manager of the proxy itself')
  if (protocol === 'connect' ? method !== 'CONNECT' : !verbs.includes(method))
    return denied('method', `the proxy takes ${verbs.join(', ')} and CONNECT, in capitals`)
  if (protocol === 'http' && scheme !== 'http') return denied('scheme', `in plain only http is taken, not ${scheme}`)
  if (protocol === 'http' && request.login) return denied('authority', 'the URL has a login')
  const host = hostOf(request.host)
  if (host === null) return denied('authority', 'the host is neither a name nor an address in its usual form')
  if (!Number.isInteger(port) || port < 1 || port > 65535) return denied('authority', `${port} is not a port`)
  const found = byRules(policy, { ...request, host })
  if (found.verdict === 'denied' && policy.mode === 'enforce') return found
  const resolved = request.resolved ?? (isIP(host) ? [host] : undefined)
  if (resolved?.length === 0) return denied('unresolved', `${host} has no address`)
  for (const address of resolved ?? []) {
    const range = innerRange(address, inner)
    if (range) return denied('inner', `${address} is in ${range}, where no name may lead`)
  }
  return found.verdict === 'denied' ? { ...found, verdict: 'would_deny' } : found
}

/** Squid looks at the URL with its escapes undone, and at capitals as they are. */
const isManager = (path = ''): boolean =>
  path
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .startsWith('/squid-internal-mgr/')

const denied = (rule: string, why: string): Decision => ({ verdict: 'denied', rule, why })

const byRules = (policy: Policy, request: Request): Decision => {
  const { host, port, protocol, method } = request
  const listed = rulesFor(policy, host, request.at)
  const deny = listed.find(it => it.effect === 'deny' && matches(it, request))
  if (deny) return denied(deny.id, `${deny.name} is denied`)
  const allow = listed.filter(it => it.effect === 'allow')
  const match = allow.find(it => matches(it, request))
  if (match) return { verdict: 'allowed', rule: match.id, why: `${match.name} is allowed` }
  if (allow.length === 0) return denied('not-listed', `no entry allows ${host}`)
  if (allow.some(it => hasPort(it[protocol], port)))
    return denied('method', `${allow[0]!.name} is allowed, and not for ${method}`)
  return denied('port', `${allow[0]!.name} is allowed, and not for ${spoken(protocol)} on port ${port}`)
}

export const spoken = (protocol: Request['protocol']) => (protocol === 'connect' ? 'CONNECT' : 'plain HTTP')

export const hasPort = (ports: Ports, port: number) => ports === '*' || ports.includes(port)

/** Does a rule that names the host say something of this request? */
export const matches = (rule: Rule, { protocol, port, method }: Pick<Request, 'protocol' | 'port' | 'method'>) =>
  hasPort(rule[protocol], port) && (protocol === 'connect' || rule.methods === null || rule.methods.includes(method))

/** The last day counts. */
export const isOver = ({ expires }: Pick<Rule, 'expires'>, at = new Date().toISOString()) =>
  expires !== null && at.slice(0, 10) > expires

/** The rules that name a host and still hold, the nearest name first. */
export const rulesFor = (policy: Policy, host: string, at?: string): Rule[] => {
  const index = indexOf(policy)
  return lookups(host).flatMap(name => (index.get(name) ?? []).filter(it => !isOver(it, at)))
}

const indexes = new WeakMap<Rule[], Map<string, Rule[]>>()

const indexOf = ({ rules }: Policy): Map<string, Rule[]> => {
  const known = indexes.get(rules)
  if (known) return known
  const index = new Map<string, Rule[]>()
  for (const it of rules) index.set(it.name, [...(index.get(it.name) ?? []), it])
  indexes.set(rules, index)
  return index
}
