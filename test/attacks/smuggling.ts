import { allowed, attacks, say } from './attack.ts'

const crlf = (...lines: string[]) => lines.join('\r\n')
const inner =
  'GET http://evil.test/{refused} HTTP/1.1\r\nHost: evil.test\r\nX-Attack: {refused}\r\nConnection: close\r\n\r\n'
const metadata = 'GET http://169.254.169.254/{refused} HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n'
const post = (...headers: string[]) => posted('{refused}', ...headers)
const posted = (mark: string, ...headers: string[]) =>
  crlf(`POST http://allowed.test/${mark} HTTP/1.1`, 'Host: allowed.test', ...headers, '', '')
const where = 'http://evil.test/ behind http://allowed.test/'
const onlyRefused = (raw: string, reason: string) => say(raw, where, reason)

/** A request hidden in another: each one that the proxy sees is judged, and a doubtful one is refused whole. */
export const smuggling = attacks(
  'smuggling',
  say(
    `GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\n\r\n${inner}`,
    where,
    'a refused request right behind an allowed one',
    { ...allowed, verdicts: ['allowed', 'denied'], idleMs: 2000 },
  ),
  say(
    `GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\n\r\n${metadata}`,
    'http://169.254.169.254/',
    'metadata right behind an allowed request',
    { ...allowed, verdicts: ['allowed', 'denied'], idleMs: 2000 },
  ),
  onlyRefused(`${post('Content-Length: 5', 'Content-Length: 6')}hello!`, 'two lengths that differ'),
  onlyRefused(`${post('Content-Length: 0, 5')}hello`, 'two lengths in one header'),
  onlyRefused(`${post('Content-Length: -1')}${inner}`, 'a negative length'),
  onlyRefused(`${post('Content-Length: +0')}${inner}`, 'a length with a sign'),
  onlyRefused(`${post('Content-Length: 0x0')}${inner}`, 'a hexadecimal length'),
  onlyRefused(`${post('Content-Length: 5 5')}hello`, 'a blank in a length'),
  onlyRefused(`${post('Content-Length: 99999999999999999999')}x`, 'a length beyond all numbers'),
  onlyRefused(`${post('Transfer-Encoding: xchunked')}0\r\n\r\n`, 'an unknown encoding'),
  onlyRefused(`${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`, 'chunked, and not last'),
  onlyRefused(`${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 'chunked twice'),
  onlyRefused(`${post('Transfer-Encoding : chunked')}0\r\n\r\n`, 'a blank before the colon'),
  say(
    `${posted('{id}', 'Transfer-Encoding: \x0bchunked')}0\r\n\r\n`,
    where,
    'a control byte before the encoding is a blank, and goes no further',
    allowed,
  ),
  ...['"chunked"', 'gzip, chunked', 'chunked;q=1'].map(it =>
    onlyRefused(`${post(`Transfer-Encoding: ${it}`)}5\r\nhello\r\n0\r\n\r\n`, `${it} as encoding`),
  ),
  ...['5, 5', '5;', '', 'abc'].map(it => onlyRefused(`${post(`Content-Length: ${it}`)}hello`, `"${it}" as length`)),
  onlyRefused(`${post('Content-Length: 5', 'Content-Length: 5')}hello`, 'the same length twice'),
  ...['5 \r\nhello', ' 5\r\nhello', '5;a\rb\r\nhello', '5\r\nhello0', '+5\r\nhello'].map(it =>
    onlyRefused(`${post('Transfer-Encoding: chunked')}${it}\r\n0\r\n\r\n`, `a chunk as ${JSON.stringify(it)}`),
  ),
  ...['evil', '100-continue, x', '"'].map(it =>
    say(`${post(`Expect: ${it}`, 'Content-Length: 0')}`, where, `${it} as expectation`, { nameless: true }),
  ),
  onlyRefused(`${post('Content-Length : 5')}hello`, 'a blank before the colon of a length'),
  onlyRefused('GET http://allowed.test/{refused} HTTP/1.1\nHost: allowed.test\n\n', 'bare line feeds'),
  say(
    'GET http://allowed.test/{refused} HTTP/1.1\rHost: allowed.test\r\r',
    where,
    'bare carriage returns end no line: a request that never comes',
    { verdicts: [] },
  ),
  onlyRefused(
    crlf('GET http://allowed.test/{refused} HTTP/1.1', 'Host: allowed.test', 'X: a\0b', '', ''),
    'a NUL in a header',
  ),
  onlyRefused(
    crlf('GET http://allowed.test/{refused} HTTP/1.1', 'Host: allowed.test', ': x', '', ''),
    'a header without name',
  ),
  onlyRefused(
    crlf('GET http://allowed.test/{refused} HTTP/1.1', 'Host: allowed.test', 'no colon', '', ''),
    'a header without colon',
  ),
  onlyRefused('GET\thttp://allowed.test/{refused}\tHTTP/1.1\r\nHost: allowed.test\r\n\r\n', 'tabs for blanks'),
  onlyRefused('GET http://allowed.test/{refused} http://evil.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n', 'two URLs'),
  onlyRefused('GET http://allowed.test/{refused} HTTP/1.1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n', 'two versions'),
  onlyRefused(
    `GET http://allowed.test/{refused} HTTP/1.1\r\nHost: allowed.test\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
    'a header of 70 kB',
  ),
  onlyRefused(
    `GET http://allowed.test/{refused}${'a'.repeat(70_000)} HTTP/1.1\r\nHost: allowed.test\r\n\r\n`,
    'a URL of 70 kB',
  ),
  onlyRefused(`${post('Transfer-Encoding: chunked')}5;a=\x00\r\nhello\r\n0\r\n\r\n`, 'a NUL in a chunk extension'),
  onlyRefused(`${post('Transfer-Encoding: chunked')}-1\r\nhello\r\n0\r\n\r\n`, 'a negative chunk'),
  onlyRefused(`${post('Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n`, 'a chunk with 0x'),
  onlyRefused(
    `${post('Transfer-Encoding: chunked')}fffffffffffffffff\r\nhello\r\n0\r\n\r\n`,
    'a chunk beyond all numbers',
  ),
  onlyRefused(`${post('Transfer-Encoding: chunked')}5\nhello\n0\n\n`, 'chunks with bare line feeds'),
  onlyRefused(
    crlf('GET http://evil.test/{refused} HTTP/1.1', 'Host: evil.test', 'X: a', ' Host: allowed.test', '', ''),
    'a Host in a fold',
  ),
  say(
    `CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n${inner}`,
    'evil.test:443',
    'a request behind a refused tunnel',
    { verdicts: ['denied', 'denied'], idleMs: 2000 },
  ),
  say(
    `CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\nGET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n`,
    'evil.test:443',
    'an allowed request behind a refused tunnel',
    { verdicts: ['denied', 'allowed'], idleMs: 2000 },
  ),
  say(
    'GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    'http://allowed.test/',
    'a body where none is usual',
  ),
  ...[
    ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 4'],
  ].map(headers =>
    say(
      `${posted('{id}', ...headers)}0\r\n\r\n${inner}`,
      where,
      `${headers.join(' and ')}: the chunks count, and what follows is judged as well`,
      {
        ...allowed,
        verdicts: ['allowed', 'denied'],
        idleMs: 2000,
      },
    ),
  ),
  say(
    crlf('GET http://allowed.test/{id} HTTP/1.1', 'Host: allowed.test', 'X: a', ' b: c', '', ''),
    'http://allowed.test/',
    'a folded header goes on as one line',
    allowed,
  ),
  ...[
    ['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked', '', '5\r\nhello\r\n0\r\n\r\n'],
    ['Connection: Content-Length', 'Content-Length: 5', '', 'hello'],
  ].map(([hop, length, ...body]) =>
    say(
      `${crlf('POST http://allowed.test/{id} HTTP/1.1', 'Host: allowed.test', hop!, length!, ...body)}${inner}`,
      where,
      `${hop}, which takes the length from nobody`,
      { ...allowed, verdicts: ['allowed', 'denied'], idleMs: 2000 },
    ),
  ),
  say(
    `${posted('{id}', 'Transfer-Encoding: identity', `Content-Length: ${inner.length}`)}${inner}`,
    where,
    'identity as encoding: no length goes on, and the body is judged as a request',
    { ...allowed, verdicts: ['allowed', 'denied'], idleMs: 2000 },
  ),
  say(
    `POST http://allowed.test/{id} HTTP/1.0\r\nHost: allowed.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    where,
    'chunks in HTTP/1.0 are read, and nothing behind them',
    allowed,
  ),
  ...['Content-Length:\r\n 5', 'Content-Length: \x0b5', 'Content-Length: 5\f'].map(it =>
    say(`${posted('{id}', it)}hello`, where, `${JSON.stringify(it)} goes on as the plain length`, allowed),
  ),
  onlyRefused(`${post('Content-Length\t: 5')}hello`, 'a tab before the colon of a length'),
  onlyRefused(`${post('content-length: 5', 'CONTENT-LENGTH: 50')}hello`, 'two lengths in other letters'),
  ...['chunked,', ', chunked', 'chunked\0'].map(it =>
    onlyRefused(`${post(`Transfer-Encoding: ${it}`)}0\r\n\r\n`, `${JSON.stringify(it)} as encoding`),
  ),
  ...['5;a="', '5;a=b\n'].map(it =>
    onlyRefused(`${post('Transfer-Encoding: chunked')}${it}\r\nhello\r\n0\r\n\r\n`, `a chunk as ${JSON.stringify(it)}`),
  ),
  say(
    'GET http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\nX: a\nHost: evil.test\r\nConnection: close\r\n\r\n',
    'http://allowed.test/',
    'a bare line feed between headers ends one, and the second Host goes no further',
    allowed,
  ),
  say(
    'GET http://allowed.test/{refused} HTTP/1.1\r\nHost: allowed.test\r\nX: a\rHost: evil.test\r\n\r\n',
    'http://allowed.test/',
    'a bare carriage return between headers',
  ),
  ...['GET http://secret.allowed.test/', 'GET http://allowed.test:8080/', 'HEAD http://evil.test/'].map(it =>
    say(
      `HEAD http://allowed.test/{id} HTTP/1.1\r\nHost: allowed.test\r\n\r\n${it}{refused} HTTP/1.1\r\nHost: allowed.test\r\n\r\n`,
      `${it} behind http://allowed.test/`,
      'a refused request behind an answer without a body',
      { ...allowed, verdicts: ['allowed', 'denied'], idleMs: 2000 },
    ),
  ),
  onlyRefused(
    '\r\nGET http://allowed.test/{refused} HTTP/1.1\r\nHost: allowed.test\r\n\r\n',
    'an empty line first, which others let pass',
  ),
  ...['HTTP/1.1 ', 'HTTP/01.1', 'HTTP/1.10', 'http/1.1', 'HTTP/1,1', 'HTTP/2.0', 'HTTP/.1'].map(it =>
    onlyRefused(`GET http://allowed.test/{refused} ${it}\r\nHost: allowed.test\r\n\r\n`, `"${it}" as version`),
  ),
)
