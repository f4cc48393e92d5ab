import { allowed, ask, attacks, get, say } from './attack.ts'

const others = [
  ...['TRACE', 'TRACK', 'PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'SEARCH', 'REPORT'],
  ...['connect', 'Connect', 'M-SEARCH', 'UPDATE', 'ACL', 'BIND', 'QUERY', 'GET\0', '\0GET', 'GET\x0b', 'G\xc9T'],
  ...['PURGE', 'LINK', 'BREW', 'DEBUG', 'get', 'Get', 'POSTT', 'CONNECTT', 'GETX', 'NONE', 'OTHER'],
]

const plain = (url: string) =>
  `GET ${url} HTTP/1.1\r\nHost: allowed.test\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n`

export const methods = attacks(
  'methods and schemes',
  ...others.map(method => ask(method, 'http://allowed.test/{id}', `the method ${method}`)),
  ...['ftp', 'https', 'gopher', 'wais', 'whois', 'ws', 'wss', 'file', 'coap', 'urn', 'unknown'].map(scheme =>
    get(`${scheme}://allowed.test/{id}`, `the scheme ${scheme}`),
  ),
  say(plain('urn:allowed.test:{id}'), 'urn:allowed.test', 'a URN'),
  say(plain('javascript:alert(1)'), 'javascript:', 'no URL of a host'),
  say(plain('file:///etc/passwd'), 'file:///etc/passwd', "the proxy's own disk"),
  say(plain('ftp://anonymous@allowed.test/{id}'), 'ftp://allowed.test', 'FTP with a user'),
  say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '*', 'the preface of HTTP/2'),
  say(
    'OPTIONS * HTTP/1.1\r\nHost: allowed.test\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n',
    '*',
    'the proxy itself',
  ),
  say('\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n', 'TLS', 'TLS where HTTP is spoken'),
  say('\x05\x01\x00\r\n\r\n', 'SOCKS', 'SOCKS 5'),
  say('\x04\x01\x01\xbb\xcb\x00\x71\x0a\x00\r\n\r\n', 'SOCKS', 'SOCKS 4 to an honest address'),
  say('EHLO allowed.test\r\n\r\n', 'SMTP', 'mail'),
  say('GET\r\n\r\n', '', 'a method alone'),
  say('GET  \r\n\r\n', '', 'a method and blanks'),
  say('GET http://allowed.test/{id}\r\n', 'http://allowed.test/', 'HTTP 0.9 is no danger', allowed),
  say(
    'GET http://allowed.test/{id} HTTP/3.7\r\nHost: allowed.test\r\n\r\n',
    'http://allowed.test/',
    'a version there is not',
  ),
)
