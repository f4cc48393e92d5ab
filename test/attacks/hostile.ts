import type { Attack } from './attack.ts'

const words = [
  ...[
    '"',
    "'",
    '\\',
    '\\"',
    '","verdict":"allowed',
    '{"time":"2026-01-01T00:00:00.000Z"}',
    '%22',
    '%0d%0a',
    '%00',
    '%',
  ],
  ...[
    '%{verdict}note',
    '%ts',
    '${x}',
    '$(id)',
    '`id`',
    '\\u0022',
    '\\n',
    '\t',
    '\x01',
    '\x0b',
    '\x1b[31m',
    '\x7f',
    '\x80',
  ],
  ...[
    '\xff\xfe',
    '\xe2\x80\xa8',
    '\xc3\xa9',
    '<script>',
    '&amp;',
    ',',
    ':',
    '{',
    '}',
    '[',
    ']',
    'a',
    ' ',
    '-',
    '.',
    '/',
  ],
]

/** Numbers that look like chance, and are the same for the same seed. */
const chance = (seed: number) => {
  let it = seed >>> 0
  return (below: number) => {
    it = (Math.imul(it, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((it / 2 ** 32) * below)
  }
}

/** One request, well formed as far as its frame goes, with rubbish where clients may write what they like. */
export const hostile = (seed: number): Attack => {
  const below = chance(seed * 7919 + 1)
  const rubbish = (most: number) => Array.from({ length: 1 + below(most) }, () => words[below(words.length)]!).join('')
  const solid = (most: number) => rubbish(most).replace(/[ \t\r\n]/g, '_')
  const long = below(20) === 0 ? 400 : 12
  const host = below(3) === 0 ? `${solid(3)}.evil.test` : 'evil.test'
  const agent = `User-Agent: ${rubbish(long)}\r\nReferer: ${rubbish(6)}\r\nX-Forwarded-For: ${rubbish(3)}\r\n`
  const raw = [
    () => `GET http://${host}/${solid(long)} HTTP/1.1\r\nHost: evil.test\r\n${agent}Connection: close\r\n\r\n`,
    () => `CONNECT ${host}:443 HTTP/1.1\r\nHost: evil.test\r\n${agent}\r\n`,
    () => `${solid(2)} http://${host}/ HTTP/1.1\r\nHost: evil.test\r\n${agent}Connection: close\r\n\r\n`,
    () =>
      `GET http://${solid(2)}:${solid(2)}@${host}/?${solid(9)} HTTP/1.1\r\nHost: evil.test\r\n${agent}Connection: close\r\n\r\n`,
  ][below(4)]!()
  return {
    class: 'hostile',
    destination: host,
    method: 'GET',
    raw,
    expect: 'denied',
    reason: `seed ${seed}`,
    idleMs: 60,
  }
}
