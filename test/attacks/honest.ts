import { at } from '../support/lab/lab.ts'
import { allowed, ask, attacks, both, connect, get, say } from './attack.ts'

/** What the tenant may do: a proxy that refuses everything would pass all other cases. */
export const honest = attacks(
  'honest',
  both('allowed.test', 'the apex of a dotted entry', allowed),
  both('www.allowed.test', 'below a dotted entry', allowed),
  both('a.b.c.d.e.allowed.test', 'far below a dotted entry', allowed),
  both('exact.test', 'an exact entry', allowed),
  both('EXACT.TEST', 'names have no case', allowed),
  both('WwW.AlLoWeD.tEsT', 'names have no case', allowed),
  both('xn--bcher-kva.test', 'an entry with an umlaut, as it goes over the wire', allowed),
  both('a_b.allowed.test', 'underscores occur in names', allowed),
  both('v6.tricks.test', 'a name with an IPv6 address alone', {
    ...allowed,
    zone: { 'v6.tricks.test': { aaaa: ['2001:db8:aa::10'] } },
  }),
  both('two.tricks.test', 'a name with addresses of both families', {
    ...allowed,
    zone: { 'two.tricks.test': { a: [at.web], aaaa: ['2001:db8:aa::10'] } },
  }),
  connect('ports.test:8443', 'a port that the entry names', allowed),
  get('http://ports.test:8080/{id}', 'a port that the entry names, in plain HTTP', allowed),
  get('http://allowed.test:80/{id}', 'the usual port, written out', allowed),
  get('http://allowed.test/{id}?a=1&b=%2F..%2F', 'a query with encoded slashes', allowed),
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(method =>
    say(
      `${method} http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      'http://allowed.test/',
      'a usual method',
      allowed,
    ),
  ),
  ask('HEAD', 'http://allowed.test/{id}', 'a usual method', allowed),
  say(
    'POST http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    'http://allowed.test/',
    'a body with its length',
    allowed,
  ),
  say(
    'POST http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'http://allowed.test/',
    'a body in chunks',
    allowed,
  ),
  say(
    'GET http://allowed.test/{id} HTTP/1.0\r\nHost: allowed.test\r\n\r\n',
    'http://allowed.test/',
    'an old client',
    allowed,
  ),
  say(
    'CONNECT allowed.test:443 HTTP/1.0\r\nX-Attack: {id}\r\n\r\n',
    'allowed.test:443',
    'an old client without Host',
    allowed,
  ),
  say(
    ['GET http://allowed.test/{id} HTTP/1.1\r\nHo', 'st: allowed.test\r\nConnection: close\r\n', '\r\n'],
    'http://allowed.test/',
    'a request that comes in pieces',
    { ...allowed, pauseMs: 50 },
  ),
  say(
    'GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\n\r\nGET http://exact.test/{id} HTTP/1.1\r\nHost: exact.test\r\nConnection: close\r\n\r\n',
    'http://allowed.test/, http://exact.test/',
    'two requests on one connection',
    { ...allowed, verdicts: ['allowed', 'allowed'], idleMs: 2000 },
  ),
)
