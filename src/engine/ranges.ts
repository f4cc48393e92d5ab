import { createRequire } from 'node:module'
import { lazily } from './lazily.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

/** Do two IPv4 ranges, as CIDRs, have an address in common? */
export const overlap = (a: string, b: string): boolean => {
  const [one, other] = [ends(a), ends(b)]
  return one.first <= other.last && other.first <= one.last
}

/** Both ends of an IPv4 range, as numbers that compare. */
export const ends = (cidr: string): { first: bigint; last: bigint } => {
  const range = new (ip().Address4)(cidr)
  return { first: range.startAddress().bigInt(), last: range.endAddress().bigInt() }
}

/** The lowest address that can be booked, past those which whatever joins first takes by itself; undefined: none. */
export const freeIn = (cidr: string, isTaken: (address: string) => boolean): string | undefined => {
  const { first, last } = ends(cidr)
  for (let at = first + 8n; at <= last - 2n && at < first + 4096n; at++) {
    const address = ip().Address4.fromBigInt(at).correctForm()
    if (!isTaken(address)) return address
  }
  return undefined
}

/** One spelling of an address or a range: with its mask, without host bits. Throws where it is neither. */
export const rangeOf = (text: string): string => {
  const { Address4, Address6 } = ip()
  const range = text.includes(':') ? new Address6(text) : new Address4(text)
  return `${range.startAddress().correctForm()}/${range.subnetMask}`
}
