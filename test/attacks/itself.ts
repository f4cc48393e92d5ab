import { at } from '../support/lab/lab.ts'
import { allowed, attacks, both, connect, get, resolving } from './attack.ts'

/** Through the proxy to the proxy: what listens there trusts whoever comes from itself. */
export const itself = attacks(
  'tunnels to the proxy itself',
  ...[
    at.proxyInside,
    at.proxyOutside,
    `[${at.proxyOutside6}]`,
    'localhost',
    'egress-proxy',
    'proxy-1',
    'localhost.localdomain',
  ].map(host => [
    connect(`${host}:3128`, 'its own port'),
    connect(`${host}:22`, 'its sshd'),
    ...both(host, 'its own address or name'),
  ]),
  resolving('own-private', { a: [at.proxyInside] }, 'a listed name for its private address'),
  resolving('own-public', { a: [at.proxyOutside] }, 'a listed name for its public address'),
  resolving('own-public-6', { aaaa: [at.proxyOutside6] }, 'a listed name for its public IPv6 address'),
  resolving('own-loopback', { a: ['127.0.0.1'], aaaa: ['::1'] }, 'a listed name for loopback'),
  resolving('own-and-honest', { a: [at.web, at.proxyOutside] }, 'a listed name for it and an honest server'),
  connect('localhost.allowed.test:443', 'below a listed name, and honest by its address', allowed),
  get('http://egress-proxy/squid-internal-static/icons/SN.png', 'its icons, which Squid answers by itself'),
)
