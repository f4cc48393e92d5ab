import { isIP } from 'node:net'
import { isOver } from './decide.ts'
import type { Mistake, Placed } from './entry.ts'
import { lookups } from './name.ts'
import type { Ports, Rule } from './policy.ts'

/**
 * Entries that can never be the reason of anything: said twice, covered by a wider one, or allowed and always denied.
 * Between a tenant and its context these are warnings: a rule for all must not wait for each tenant's list.
 */
export const coverMistakes = (all: Placed[], today: string): Mistake[] => {
  // What is over covers nothing, and is told as that.
  const placed = all.filter(it => !isOver(it.rule, today))
  const index = new Map<string, Placed[]>()
  for (const it of placed) {
    const same = index.get(it.rule.name)
    if (same) same.push(it)
    else index.set(it.rule.name, [it])
  }
  const order = new Map(placed.map((it, at) => [it, at]))
  return placed.flatMap(it => {
    const near = wider(it.rule.name).flatMap(name => index.get(name) ?? [])
    const found = near.find(other => {
      if (other === it || !covers(other.rule, it.rule)) return false
      if (other.rule.effect !== it.rule.effect) return other.rule.effect === 'deny'
      return other.rule.name !== it.rule.name || !covers(it.rule, other.rule) || order.get(other)! < order.get(it)!
    })
    return found ? [told(it, found)] : []
  })
}

/** Names that say at least what this one says. */
const wider = (name: string): string[] => (name.startsWith('.') ? lookups(name.slice(1)).slice(1) : lookups(name))

/** Does one rule, whose name covers, hold for everything of the other, and as long? */
const covers = (wide: Rule, narrow: Rule): boolean =>
  includes(wide.connect, narrow.connect) &&
  includes(wide.http, narrow.http) &&
  (wide.methods === null || hasNo(narrow.http) || (narrow.methods?.every(it => wide.methods!.includes(it)) ?? false)) &&
  (wide.expires === null || (narrow.expires !== null && narrow.expires <= wide.expires))

const includes = (wide: Ports, narrow: Ports) =>
  wide === '*' || (narrow !== '*' && narrow.every(it => wide.includes(it)))

const hasNo = (ports: Ports) => ports !== '*' && ports.length === 0

const told = ({ rule, place }: Placed, { rule: by, place: there }: Placed): Mistake => {
  const apart = place.of !== there.of
  const where = apart ? ` of the ${there.of}` : ''
  const head = { ...place, field: fieldOf(rule), ...(apart && warned) }
  if (by.effect !== rule.effect)
    return {
      ...head,
      what: `${rule.name} is allowed and can never match`,
      why: `the deny entry ${by.name}${where} covers all of it, and denials win`,
      next: 'remove one of them, or narrow the denial',
    }
  return {
    ...head,
    what:
      by.name === rule.name && !apart ? `${rule.name} is there twice` : `${rule.name} is covered by ${by.name}${where}`,
    why: 'the second says nothing new',
    next: 'remove one',
  }
}

const warned = { warning: true } as const

const fieldOf = ({ name }: Rule) => (isIP(name) > 0 ? ('address' as const) : ('domain' as const))
