import { allowed, attacks, connect, get, say } from './attack.ts'

const forged = '{"time":"2026-01-01T00:00:00.000Z","client":"172.16.28.99","verdict":"allowed"}'
const agents: [text: string, what: string][] = [
  ['a"b', 'a quote'],
  ['a\\', 'a backslash at the end'],
  ['a\\"b', 'an escaped quote'],
  [`","verdict":"denied`, 'fields of its own'],
  [forged, 'a line of its own'],
  ['\\u0022,\\n', 'escapes of JSON'],
  ['%22%0d%0a', 'percent-encoded ends of lines'],
  ['a\tb\x0b\x0c\x1b[31m\x7f', 'control bytes and colours'],
  ['\x80\x81\xfe\xff', 'bytes that are no UTF-8'],
  ['\xe2\x80\xa8\xe2\x80\xa9', "JavaScript's own ends of lines"],
  ['%{verdict}note %ts ${x} `id` $(id)', 'words of log formats and shells'],
  ['a'.repeat(20_000), '20,000 letters'],
  ['"'.repeat(8000), '8,000 quotes'],
]

/** What would end a line of the log, or add a field to it. */
export const forging = attacks(
  'log forging',
  ...agents.map(([text, what]) => [
    say(
      `GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nUser-Agent: ${text}\r\nConnection: close\r\n\r\n`,
      'http://allowed.test/',
      `${what} in User-Agent`,
      allowed,
    ),
    say(
      `CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nUser-Agent: ${text}\r\n\r\n`,
      'evil.test:443',
      `${what} in User-Agent of a refused tunnel`,
    ),
  ]),
  get(`http://allowed.test/{id}?${'"'.repeat(20)}`, 'quotes in a query'),
  get('http://allowed.test/{id}?a=%0d%0a%22', 'encoded ends of lines in a query', allowed),
  get(`http://allowed.test/{id}?${'%22'.repeat(2500)}`, 'a query of 7 kB', allowed),
  get(`http://allowed.test/{id}?${'%22'.repeat(3000)}`, 'a query of 9 kB'),
  get(`http://evil.test/{id}${forged.replaceAll(' ', '')}`, 'a line of its own in a path'),
  get('http://evil.test/{id}\x01\x02\x7f', 'control bytes in a path'),
  get('http://evil.test/{id}\xff\xfe', 'bytes that are no UTF-8 in a path'),
  get(`http://evil.test/${'a'.repeat(9000)}`, 'a path of 9 kB'),
  connect('evil.test","verdict":"allowed:443', 'fields of its own in a name'),
  say(
    'G"E"T http://evil.test/{id} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
    'http://evil.test/',
    'quotes in a method',
  ),
  say(
    '","verdict":"allowed http://evil.test/{id} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
    'http://evil.test/',
    'fields of its own as a method',
  ),
  say(
    `${'A'.repeat(5000)} http://evil.test/{id} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n`,
    'http://evil.test/',
    'a method of 5,000 letters',
  ),
  say(
    'GET http://user"x:pa"ss@evil.test/{id} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
    'http://evil.test/',
    'quotes in a user',
  ),
  say(
    'GET http://evil.test/{id} HTTP/1.1\r\nHost: evil.test\r\nReferer: "\r\nCookie: "\r\nAuthorization: Basic Ig==\r\nX-Forwarded-For: 172.16.28.99"\r\nConnection: close\r\n\r\n',
    'http://evil.test/',
    'quotes and another address in further headers',
  ),
)
