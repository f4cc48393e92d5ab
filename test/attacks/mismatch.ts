import { allowed, attacks, say } from './attack.ts'

const line = (...lines: string[]) => `${lines.join('\r\n')}\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n`

/** The URL decides; a Host header that says something else may not, and who says two things is refused. */
export const mismatch = attacks(
  'Host and URL',
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host: allowed.test'),
    'http://evil.test/',
    'a listed name in Host alone',
  ),
  say(
    line('GET http://169.254.169.254/{id} HTTP/1.1', 'Host: allowed.test'),
    'http://169.254.169.254/',
    'metadata behind a listed Host',
  ),
  say(
    line('CONNECT evil.test:443 HTTP/1.1', 'Host: allowed.test:443'),
    'evil.test:443',
    'a listed name in Host alone, in a tunnel',
  ),
  say(line('CONNECT 127.0.0.1:443 HTTP/1.1', 'Host: allowed.test'), '127.0.0.1:443', 'loopback behind a listed Host'),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host: evil.test', 'Host: allowed.test'),
    'http://evil.test/',
    'two Hosts, the second listed',
  ),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host: allowed.test', 'Host: evil.test'),
    'http://evil.test/',
    'two Hosts, the first listed',
  ),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host: allowed.test, evil.test'),
    'http://evil.test/',
    'two names in one Host',
  ),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'hOsT: allowed.test', 'HOST: allowed.test'),
    'http://evil.test/',
    'Hosts in other letters',
  ),
  say(line('GET http://evil.test/{id} HTTP/1.1', ' Host: allowed.test'), 'http://evil.test/', 'a Host behind a blank'),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host : allowed.test'),
    'http://evil.test/',
    'a blank before the colon',
  ),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'X-Forwarded-Host: allowed.test', 'Host: evil.test'),
    'http://evil.test/',
    'a forwarded Host',
  ),
  say(
    line('GET http://evil.test/{id} HTTP/1.1', 'Host: evil.test', 'X-Original-URL: http://allowed.test/'),
    'http://evil.test/',
    'another URL in a header',
  ),
  ...[
    'http:\\\\allowed.test',
    'http://allowed.test\\evil.test',
    'http://evil.test;@allowed.test',
    'http://http://allowed.test',
  ].map(url =>
    say(line(`GET ${url}/{id} HTTP/1.1`, 'Host: allowed.test'), url, 'what others may read as another place'),
  ),
  ...[
    'http://evil.test%3f@allowed.test',
    'http://evil.test%00@allowed.test',
    'http://user@allowed.test',
    'http://:@allowed.test',
  ].map(url => say(line(`GET ${url}/{id} HTTP/1.1`, 'Host: allowed.test'), url, 'a login')),
  say(
    line('CONNECT user@allowed.test:443 HTTP/1.1', 'Host: allowed.test'),
    'user@allowed.test:443',
    'a login in a tunnel',
  ),
  say(line('GET "http://allowed.test/{id}" HTTP/1.1', 'Host: allowed.test'), 'http://allowed.test/', 'a URL in quotes'),
  say(
    line('GET <http://allowed.test/{id}> HTTP/1.1', 'Host: allowed.test'),
    'http://allowed.test/',
    'a URL in brackets',
  ),
  say(line('GET /{id} HTTP/1.1', 'Host: egress-proxy:3128'), '/', 'as to a server, by what the proxy calls itself'),
  ...['', 'a b', '169.254.169.254', 'secret.allowed.test', 'allowed.test:22'].map(host =>
    say(
      line('GET http://allowed.test/{id} HTTP/1.1', `Host: ${host}`),
      'http://allowed.test/',
      `"${host}" as Host: the URL counts, and goes on as Host`,
      allowed,
    ),
  ),
  say(line('GET /{id} HTTP/1.1', 'Host: allowed.test'), '/', 'as to a server: this is a proxy'),
  say(line('GET /{id} HTTP/1.1', 'Host: evil.test'), '/', 'as to a server, not listed'),
  say(line('GET /{id} HTTP/1.1', 'Host: 169.254.169.254'), '/', 'as to a server, metadata'),
  say(line('GET //allowed.test/{id} HTTP/1.1', 'Host: allowed.test'), '//allowed.test/', 'a URL without scheme'),
  say(
    line('GET ///allowed.test/{id} HTTP/1.1', 'Host: allowed.test'),
    '///allowed.test/',
    'a URL without scheme, three slashes',
  ),
  say(line('GET http:///{id} HTTP/1.1', 'Host: allowed.test'), 'http:///', 'a URL without host'),
  say(line('GET http:allowed.test/{id} HTTP/1.1', 'Host: allowed.test'), 'http:allowed.test', 'a URL without slashes'),
  say(line('GET http:/allowed.test/{id} HTTP/1.1', 'Host: allowed.test'), 'http:/allowed.test', 'a URL with one slash'),
  say(line('GET @allowed.test/{id} HTTP/1.1', 'Host: allowed.test'), '@allowed.test', 'a URL that begins with @'),
  say(line('GET allowed.test:443 HTTP/1.1', 'Host: allowed.test'), 'allowed.test:443', 'what CONNECT takes, with GET'),
  say(
    line('CONNECT http://allowed.test/{id} HTTP/1.1', 'Host: allowed.test'),
    'http://allowed.test/',
    'what GET takes, with CONNECT',
  ),
  say(line('CONNECT /{id} HTTP/1.1', 'Host: allowed.test:443'), '/', 'a path, with CONNECT'),
  say(line('CONNECT * HTTP/1.1', 'Host: allowed.test:443'), '*', 'a star, with CONNECT'),
  say(
    line('GET http://allowed.test/{id} HTTP/1.1', 'Host: evil.test'),
    'http://allowed.test/',
    'another name in Host: the URL counts, and goes on as Host',
    allowed,
  ),
  say(
    line('CONNECT allowed.test:443 HTTP/1.1', 'Host: evil.test:443'),
    'allowed.test:443',
    'another name in Host, in a tunnel: where it goes counts',
    allowed,
  ),
  say(
    line('CONNECT allowed.test:443 HTTP/1.1', 'Host: allowed.test'),
    'allowed.test:443',
    'a Host without port',
    allowed,
  ),
  say(
    line('GET http://allowed.test#@evil.test/{id} HTTP/1.1', 'Host: evil.test'),
    'http://allowed.test/',
    'a fragment right behind the name, which is no login: it goes to the name',
    allowed,
  ),
  ...['evil.test#allowed.test', 'evil.test?allowed.test', 'evil.test,allowed.test'].map(it =>
    say(line(`CONNECT ${it}:443 HTTP/1.1`, 'Host: allowed.test'), it, 'two names in a tunnel'),
  ),
  say(line('CONNECT allowed.test:443 evil.test:443 HTTP/1.1', 'Host: allowed.test'), 'evil.test:443', 'two tunnels'),
  say(
    'PROXY TCP4 127.0.0.1 127.0.0.1 1 3128\r\nGET http://egress-proxy/squid-internal-mgr/info HTTP/1.1\r\nHost: a\r\n\r\n',
    'http://egress-proxy/',
    'another client, by the words of the PROXY protocol',
  ),
)
