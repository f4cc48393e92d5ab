import type { Answer } from '../support/lab/dns-message.ts'
import { at } from '../support/lab/lab.ts'
import { attacks, resolving } from './attack.ts'

const [servfail, nxdomain, refused] = [2, 3, 5]
const allowed = { expect: 'allowed' as const }
const many = (count: number, more: string[] = []) => [
  ...Array.from({ length: count }, (_, n) => `203.0.113.${100 + (n % 90)}`),
  ...more,
]
const chain = (label: string, length: number, end: Answer): Record<string, Answer> =>
  Object.fromEntries(
    Array.from({ length }, (_, n) => [
      `${n === 0 ? label : `${label}-${n}`}.tricks.test`,
      n === length - 1 ? end : { cname: `${label}-${n + 1}.tricks.test` },
    ]),
  )

/** Names on the list whose owner, or whose name server, is against us. */
export const dnsTricks = attacks(
  'DNS tricks',
  ...[0, 1, 2].map(n =>
    resolving(
      `rebind-${n}`,
      { ttl: 0, turns: [{ a: ['10.0.0.1'] }, { a: ['127.0.0.1'] }] },
      'inside, another address each time',
    ),
  ),
  resolving('rebind-late', { ttl: 0, a: [at.web], aaaa: ['fd00:42::42'] }, 'honest by IPv4, metadata by IPv6'),
  ...[0, 1, 2].map(n =>
    resolving(
      `turn-${n}`,
      { ttl: 0, turns: [{ a: [at.web] }, { a: ['10.0.0.1'] }] },
      'honest when asked first, inside from then on: what was checked is what is dialled',
      allowed,
    ).slice(n % 2, (n % 2) + 1),
  ),
  resolving('slow-too-late', { a: ['10.0.0.1'], delayMs: 7000 }, 'later than anybody waits'),
  resolving('zero-and-honest', { a: ['0.0.0.0', at.web] }, 'this host and an honest one'),
  resolving('cname-localhost', { cname: 'localhost' }, 'an alias for localhost', {
    zone: { 'cname-localhost.tricks.test': { cname: 'localhost' }, localhost: { a: ['127.0.0.1'] } },
  }),
  resolving('cname-literal', { cname: '127.0.0.1' }, 'an alias for an address', {
    zone: { 'cname-literal.tricks.test': { cname: '127.0.0.1' }, '127.0.0.1': { a: ['127.0.0.1'] } },
  }),
  resolving('mixed-first', { a: ['172.16.28.8', at.web] }, 'inside, then honest'),
  resolving('mixed-last', { a: [at.web, '172.16.28.8'] }, 'honest, then inside'),
  resolving('mixed-middle', { a: [at.web, '169.254.169.254', '203.0.113.11'] }, 'metadata between two honest ones'),
  resolving('mixed-families', { a: [at.web], aaaa: ['::1'] }, 'honest by IPv4, loopback by IPv6'),
  resolving('mixed-six', { aaaa: [at.web6, 'fd00:42::42'] }, 'honest and metadata, both IPv6'),
  resolving('mapped-beside', { a: [at.web], aaaa: ['::ffff:10.0.0.1'] }, 'honest, and private as mapped'),
  resolving('cname-inside', { cname: 'inside.evil.test' }, 'an alias for a name inside', {
    zone: { 'cname-inside.tricks.test': { cname: 'inside.evil.test' }, 'inside.evil.test': { a: ['10.32.0.1'] } },
  }),
  resolving('cname-capitals', { cname: 'INSIDE.evil.test' }, 'an alias in capitals for a name inside', {
    zone: {
      'cname-capitals.tricks.test': { cname: 'INSIDE.evil.test' },
      'INSIDE.evil.test': { a: ['10.32.0.1'] },
      'inside.evil.test': { a: ['10.32.0.1'] },
    },
  }),
  resolving('cname-proxy', { cname: 'egress-proxy' }, 'an alias for the proxy', {
    zone: { 'cname-proxy.tricks.test': { cname: 'egress-proxy' }, 'egress-proxy': { a: [at.proxyInside] } },
  }),
  resolving('fails-first', { ttl: 0, turns: [{ rcode: servfail }, { a: ['10.0.0.1'] }] }, 'nothing, then inside'),
  resolving('cname-metadata', { cname: 'metadata.evil.test' }, 'an alias for metadata', {
    zone: {
      'cname-metadata.tricks.test': { cname: 'metadata.evil.test' },
      'metadata.evil.test': { a: ['169.254.42.42'] },
    },
  }),
  resolving('chain-inside', { cname: '...' }, 'a chain of five aliases that ends inside', {
    zone: chain('chain-inside', 5, { a: ['192.168.1.1'] }),
  }),
  resolving('chain-honest', { cname: '...' }, 'a chain of four aliases that ends well', {
    zone: chain('chain-honest', 4, { a: [at.web] }),
    ...allowed,
  }),
  resolving('cname-loop', { cname: 'cname-loop.tricks.test' }, 'an alias for itself', {
    zone: { 'cname-loop.tricks.test': { rcode: servfail } },
  }),
  resolving('cname-dangling', { cname: 'gone.evil.test' }, 'an alias for nothing', {
    zone: { 'cname-dangling.tricks.test': { cname: 'gone.evil.test' }, 'gone.evil.test': { rcode: nxdomain } },
  }),
  resolving('nxdomain', { rcode: nxdomain }, 'no such name'),
  resolving('servfail', { rcode: servfail }, 'a name server that fails'),
  resolving('refused', { rcode: refused }, 'a name server that refuses'),
  resolving('empty', { a: [], aaaa: [] }, 'a name without addresses'),
  resolving('silent', { silent: true }, 'a name server that says nothing'),
  resolving('slow-inside', { a: ['10.0.0.1'], delayMs: 1500 }, 'inside, and late'),
  resolving('slow-honest', { a: [at.web], delayMs: 1500 }, 'honest, and late', allowed),
  resolving('many-honest', { a: many(12) }, 'twelve honest addresses', allowed),
  resolving('many-inside', { a: many(25, ['10.0.0.1']) }, 'the last of 26 addresses is inside'),
  resolving('huge-inside', { a: many(60, ['127.0.0.1']) }, 'an answer that needs TCP, and ends inside'),
  resolving('huge-honest', { a: many(60) }, 'an answer that needs TCP', allowed),
  resolving('ttl-huge', { a: ['127.0.0.1'], ttl: 2_147_483_647 }, 'loopback for 68 years'),
  resolving('zero-ttl', { a: [at.web], ttl: 0 }, 'honest, and never to be kept', allowed),
  resolving('broadcast', { a: ['255.255.255.255', at.web] }, 'broadcast and honest'),
)
