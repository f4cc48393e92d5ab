import { createRequire } from 'node:module'
import { lazily } from '../engine/lazily.ts'
import { Problem } from '../engine/problem.ts'
import { specialRanges } from '../policy/inner.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

type Clients = { name: string; port: number; clients: string[] }

/** Tenants that share a port are told apart by source, so two of them may not share an address. */
export const refuseOverlaps = (tenants: Clients[]): void => {
  for (const [n, a] of tenants.entries()) {
    for (const cidr of a.clients) range(cidr, a.name)
    for (const b of tenants.slice(n + 1)) {
      if (a.name === b.name) throw problem(`two tenants are named ${a.name}`, 'their lists would be one')
      if (a.port !== b.port) continue
      for (const x of a.clients)
        for (const y of b.clients)
          if (overlap(range(x, a.name), range(y, b.name)))
            throw problem(`${a.name} and ${b.name} overlap on port ${a.port}`, `${x} and ${y} have addresses in common`)
    }
  }
}

/** What no name may resolve to: every special range, and ours as far as these do not have them already. */
export const innerRanges = (own: string[]): string[] => {
  const all = [...specialRanges]
  for (const cidr of own) {
    const it = range(cidr, 'inner')
    if (!all.some(other => covers(range(other, 'inner'), it))) all.push(cidr)
  }
  return all
}

type Range = { family: number; first: bigint; last: bigint }

const range = (cidr: string, name: string): Range => {
  const make = ip().Address4.isValid(cidr) ? ip().Address4 : ip().Address6.isValid(cidr) ? ip().Address6 : null
  if (!make) throw problem(`${name}: ${JSON.stringify(cidr)} is not a CIDR`, 'Squid would take it for a host name')
  const it = new make(cidr)
  return { family: make === ip().Address4 ? 4 : 6, first: it.startAddress().bigInt(), last: it.endAddress().bigInt() }
}

const overlap = (a: Range, b: Range) => a.family === b.family && a.first <= b.last && b.first <= a.last

const covers = (a: Range, b: Range) => a.family === b.family && a.first <= b.first && b.last <= a.last

const problem = (what: string, why: string) => new Problem(what, { why, next: 'correct it in the inventory', exit: 2 })
