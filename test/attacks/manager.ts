import { at } from '../support/lab/lab.ts'
import { allowed, attacks, get, say } from './attack.ts'

const pages = [
  '',
  'menu',
  'info',
  'counters',
  'config',
  'objects',
  'filedescriptors',
  'shutdown',
  'reconfigure',
  'rotate',
]
const hosts = [
  `${at.proxyInside}:3128`,
  'egress-proxy:3128',
  'egress-proxy',
  'localhost',
  '127.0.0.1:3128',
  'allowed.test',
]

/** Squid's own pages: counters, its configuration, a switch to end it. */
export const manager = attacks(
  'manager',
  ...pages.map(page => get(`http://egress-proxy:3128/squid-internal-mgr/${page}`, `its page ${page || 'of pages'}`)),
  ...hosts.map(host => get(`http://${host}/squid-internal-mgr/info`, `by the name ${host}`)),
  ...hosts.map(host => get(`cache_object://${host}/info`, `the old scheme, by the name ${host}`)),
  get('cache_object://localhost/shutdown', 'ending it by the old scheme'),
  get('cache_object://localhost/info@secret', 'a password in the old scheme'),
  get('cache_object:///info', 'the old scheme without host'),
  say(
    'GET /squid-internal-mgr/info HTTP/1.1\r\nHost: egress-proxy:3128\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n',
    '/squid-internal-mgr/info',
    'as to a server, with its name',
  ),
  say(
    'GET /squid-internal-mgr/info HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n',
    '/squid-internal-mgr/info',
    'as to a server, with loopback',
  ),
  say('GET /squid-internal-mgr/info HTTP/1.0\r\n\r\n', '/squid-internal-mgr/info', 'as to a server, without Host'),
  say('GET /squid-internal-dynamic/netdb HTTP/1.0\r\n\r\n', '/squid-internal-dynamic/netdb', 'its table of networks'),
  get('http://egress-proxy:3128/squid-internal-dynamic/netdb', 'its table of networks, by name'),
  get('http://egress-proxy/squid-internal-periodic/store_digest', 'its digest'),
  get('http://egress-proxy:3128//squid-internal-mgr/info', 'two slashes'),
  get('http://egress-proxy:3128/./squid-internal-mgr/info', 'a dot in the path'),
  get('http://egress-proxy:3128/%73quid-internal-mgr/info', 'an encoded letter in the path'),
  get('http://EGRESS-PROXY:3128/SQUID-INTERNAL-MGR/info', 'capitals'),
  get('http://allowed.test/squid-internal-mgr%2f{id}', 'an encoded slash, by a listed name'),
  get('http://allowed.test/%73quid-internal%2Dmgr/{id}', 'encoded letters, by a listed name'),
  get('http://allowed.test/SQUID-INTERNAL-MGR/{id}', "capitals by a listed name: the server's own page", allowed),
  get('http://allowed.test/x/../squid-internal-mgr/{id}', "dots by a listed name: the server's own page", allowed),
)
