import { Address4 } from 'ip-address'

/** Do two IPv4 ranges, as CIDRs, have an address in common? */
export const overlap = (a: string, b: string): boolean => {
  const [one, other] = [ends(a), ends(b)]
  return one.first <= other.last && other.first <= one.last
}

/** Both ends of an IPv4 range, as numbers that compare. */
export const ends = (cidr: string): { first: bigint; last: bigint } => {
  const range = new Address4(cidr)
  return { first: range.startAddress().bigInt(), last: range.endAddress().bigInt() }
}
