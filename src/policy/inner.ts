import { createRequire } from 'node:module'
import { lazily } from '../engine/lazily.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

/**
 * Loopback, private, link-local and metadata, transition mechanisms, multicast, reserved. None is inside another: Squid
 * warns of that. Of IPv6 IANA gives out 2000::/3 alone; below 100:: there is IPv4 in IPv6, which one range would take in.
 */
export const specialRanges = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/23', '2002::/16'],
  ...[
    '100::/8',
    '200::/7',
    '400::/6',
    '800::/5',
    '1000::/4',
    '4000::/2',
    '8000::/2',
    'c000::/3',
    'e000::/4',
    'f000::/5',
  ],
  ...['f800::/6', 'fc00::/7', 'fe00::/9', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]

/** The range that keeps an address from being dialled: a special one, or one of ours; undefined: it may be. */
export const innerRange = (address: string, own: readonly string[] = []): string | undefined => {
  const { Address4, Address6 } = ip()
  const v4 = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!v4.includes(':')) {
    const it = new Address4(v4)
    return [...specialRanges, ...own].find(range => !range.includes(':') && it.isInSubnet(new Address4(range)))
  }
  const inside = v4Inside(v4)
  if (inside) return innerRange(inside, own)
  const it = new Address6(v4)
  return [...specialRanges, ...own].find(range => range.includes(':') && it.isInSubnet(new Address6(range)))
}

/** The IPv4 address that an IPv4-mapped one is dialled as; undefined: it is not mapped. */
export const v4Inside = (address: string): string | undefined => {
  if (!address.includes(':')) return undefined
  const { Address6 } = ip()
  const it = new Address6(address)
  return it.isInSubnet(new Address6('::ffff:0:0/96')) ? it.to4().correctForm() : undefined
}
