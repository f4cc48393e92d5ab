import { Address4, Address6 } from 'ip-address'
import { ends, overlap } from '../engine/ranges.ts'

/** The range as it should be written, when the given one names a host inside it; undefined when it is right. */
export const withoutHostBits = (cidr: string): string | undefined => {
  const [address, bits] = cidr.split('/')
  const range = cidr.includes(':') ? new Address6(cidr) : new Address4(cidr)
  const network = range.startAddress()
  const given = cidr.includes(':') ? new Address6(address!) : new Address4(address!)
  return network.bigInt() === given.bigInt() ? undefined : `${network.correctForm()}/${bits}`
}

/** Where an address stands in a private network: Scaleway keeps the first two and the last two. */
export const placeIn = (address: string, cidr: string): 'outside' | 'reserved' | 'free' => {
  const { first, last } = ends(cidr)
  const it = new Address4(address).bigInt()
  if (it < first || it > last) return 'outside'
  return it < first + 2n || it > last - 2n ? 'reserved' : 'free'
}

/** Ranges that Scaleway refuses for a private network. */
export const excluded = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
]

/** Does it lie within the ranges for private use (RFC 1918)? */
export const isPrivate = (cidr: string): boolean =>
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].some(it => prefixOf(it) <= prefixOf(cidr) && overlap(it, cidr))

/** Can it be reached from our private network only? */
export const isInside = (cidr: string): boolean => !cidr.includes(':') && isPrivate(cidr)

export const prefixOf = (cidr: string): number => Number(cidr.split('/')[1])

/** How many addresses of a private network can be given out. */
export const usableIn = (cidr: string): number => 2 ** (32 - prefixOf(cidr)) - 4

/** So wide that it says nothing about who comes: 0.0.0.0/0, or its halves. */
export const isWide = (cidr: string): boolean => prefixOf(cidr) < (cidr.includes(':') ? 16 : 8)
