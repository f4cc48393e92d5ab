import { ends } from '../../engine/ranges.ts'

/** Where a rule lets pods go that is outside. `wide`: no few addresses, and not names alone. */
export type Way = { what: string; wide: boolean }

/** Of ranges (CIDR); absent: everywhere. Names alone (port 53) are a small hole. */
export const waysTo = (ranges: readonly string[] | undefined, dns: boolean, inside: readonly string[]): Way[] => {
  const on = dns ? ' on port 53' : ''
  if (!ranges) return [{ what: `everywhere${on}`, wide: !dns }]
  return ranges.filter(it => !isWithin(it, inside)).map(it => ({ what: `${it}${on}`, wide: !dns && prefixOf(it) < 8 }))
}

const prefixOf = (cidr: string): number => Number(cidr.split('/')[1] ?? 32)

const isWithin = (cidr: string, ranges: readonly string[]): boolean => {
  if (cidr.includes(':')) return false
  const it = ends(cidr)
  return ranges.map(ends).some(range => range.first <= it.first && it.last <= range.last)
}
