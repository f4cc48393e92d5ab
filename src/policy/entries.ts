import { Problem, Problems } from '../engine/problem.ts'
import { coverMistakes } from './cover.ts'
import type { Entry, Lists, Mistake, Place, Placed } from './entry.ts'
import { innerRange, v4Inside } from './inner.ts'
import { addressOf, nameOf, suffixKind } from './name.ts'
import { byName, type Effect, type Mode, type Policy, type Protocol, type Rule } from './policy.ts'

export type Read = { policy: Policy; placed: Placed[]; mistakes: Mistake[] }

type Told = { tenant: string; egress: Lists & { mode: Mode } }

/** The policy of one tenant: what its proxy gets. A denial that is written wrong would be no denial: it throws. */
export const policyOf = ({ policy: shared = {} }: { policy?: Lists | undefined }, tenant: Told): Policy => {
  const { policy, mistakes } = readEntries(shared, tenant)
  const wrong = mistakes.filter(it => !it.warning)
  if (wrong.length > 0)
    throw new Problems(wrong.map(({ what, why, next }) => new Problem(what, { why, next, exit: 2 })))
  return policy
}

/**
 * The rules that entries make, where each was written, and every mistake in them. `today`: YYYY-MM-DD.
 * Entries of the context are told apart, and their mistakes are told with `of: context`.
 */
export const readEntries = (
  shared: Lists,
  { tenant, egress }: Told,
  today = new Date().toISOString().slice(0, 10),
): Read => {
  const mistakes: Mistake[] = []
  const placed: Placed[] = []
  const ids = new Set<string>()
  for (const [of, lists] of [
    ['tenant', egress],
    ['context', shared],
  ] as const)
    for (const list of ['deny', 'allow'] as const)
      for (const [at, entry] of (lists[list] ?? []).entries()) {
        const place: Place = { of, list, at }
        // What is wrong was told where it was read, and may be what makes the rest right.
        if (!entry || Object.values(entry).some(isBroken)) continue
        const said = (field: keyof Entry | undefined, what: string, why: string, next: string) =>
          mistakes.push({ ...place, ...(field && { field }), what, why, next })
        const name = entryName(entry, list, said)
        const ports = entryPorts(entry, list, said)
        if (name === undefined || !ports) continue
        const rule: Rule = {
          id: unique(`${list}${of === 'context' ? '-all' : ''}:${name}`, ids),
          ...{ effect: list, name, ...ports, methods: entry.methods ? sorted(entry.methods as string[]) : null },
          expires: entry.expires ?? null,
          ...{ comment: entry.comment ?? null, requestedBy: entry.requestedBy ?? null },
        }
        placed.push({ rule, place })
        if (rule.expires !== null && rule.expires < today) mistakes.push(over(place, rule.expires))
        else if (rule.expires !== null && rule.expires <= soonAfter(today)) mistakes.push(ending(place, rule.expires))
      }
  mistakes.push(...coverMistakes(placed, today))
  const rules = placed.map(it => it.rule).sort(byName)
  return { policy: { tenant, mode: egress.mode, rules }, placed, mistakes }
}

type Said = (field: keyof Entry | undefined, what: string, why: string, next: string) => void

const entryName = ({ domain, address, suffix }: Entry, list: Effect, said: Said): string | undefined => {
  if ((domain === undefined) === (address === undefined)) {
    const why = domain === undefined ? 'it says neither' : 'it says both'
    said(undefined, 'an entry names a domain or an address', why, 'write { domain: ... } or { address: ... }')
    return undefined
  }
  if (address !== undefined) {
    const name = addressOf(address)
    const range = name === null ? undefined : innerRange(name)
    if (name === null)
      said('address', `${shown(address)} is not an address`, 'ranges and names are none', 'write one like 203.0.113.9')
    else if (range && list === 'allow')
      said('address', `${address} cannot be allowed`, `${range} is never dialled`, 'remove the entry')
    else if (v4Inside(name)) {
      const why = 'IPv4 inside IPv6 is asked for and dialled as IPv4'
      said('address', `${address} can never match`, why, `write ${v4Inside(name)}, if it is really meant`)
    } else return name
    return undefined
  }
  const named = nameOf(domain!)
  if ('why' in named) {
    said('domain', `${shown(domain!)} is no domain of an entry`, named.why, named.next)
    return undefined
  }
  const { name } = named
  const kind = list === 'allow' ? suffixKind(name) : null
  if (kind === 'icann') {
    const why = 'it is a top-level domain or another public suffix, where anybody can register a name'
    said('domain', `${name} cannot be allowed`, why, 'name a domain below it')
  } else if (kind === 'private' && name.startsWith('.') && !suffix) {
    const why = `anybody can have a name below ${name.slice(1)}`
    said('domain', `${name} is a public suffix`, why, 'name a domain below it, or add suffix: true if all are meant')
  } else return name
  return undefined
}

/** Without `protocols`, port 80 is for plain HTTP and 443 for tunnels, any other for both; methods mean plain HTTP. */
const entryPorts = ({ ports, protocols, methods }: Entry, list: Effect, said: Said): Pick<Rule, Protocol> | null => {
  if (methods && protocols && !protocols.includes('http')) {
    const why = 'a tunnel hides the methods inside it'
    said('methods', 'methods on an entry for CONNECT alone', why, 'leave methods out, or add http to protocols')
    return null
  }
  const of = (protocol: Protocol, usual: number, other: number): Rule[Protocol] => {
    if (protocols ? !protocols.includes(protocol) : methods && protocol === 'connect') return []
    if (!ports) return list === 'deny' ? '*' : [usual]
    const named = [...new Set(ports as number[])].sort((a, b) => a - b)
    return protocols || methods ? named : named.filter(it => it !== other)
  }
  return { connect: of('connect', 443, 80), http: of('http', 80, 443) }
}

const isBroken = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 || value.includes(undefined) : value === undefined

const unique = (id: string, taken: Set<string>): string => {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? id : `${id}/${n}`
    if (taken.has(candidate)) continue
    taken.add(candidate)
    return candidate
  }
}

const sorted = (all: string[]) => [...new Set(all)].sort()

const shown = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)

const over = (place: Place, expires: string): Mistake => ({
  ...place,
  ...{ field: 'expires', warning: true, what: `this entry ended on ${expires}`, why: 'it no longer says anything' },
  next: 'remove it, or give it a later date',
})

/** Two weeks on: time enough to ask who wants an entry whether it is still wanted. */
const soonAfter = (day: string): string => new Date(Date.parse(day) + 14 * 86_400_000).toISOString().slice(0, 10)

const ending = (place: Place, expires: string): Mistake => ({
  ...place,
  ...{ field: 'expires', warning: true, what: `this entry ends on ${expires}` },
  why: 'the proxy acts on it by itself, and then it says nothing any more',
  next: 'give it a later date, if it is still wanted',
})
