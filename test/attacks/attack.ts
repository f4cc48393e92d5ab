import type { Answer } from '../support/lab/dns-message.ts'

/**
 * One thing an attacker says to the proxy, as data. `{id}` in `raw` becomes a mark of the case: no listener may ever read
 * it from a refused request. Several requests in one `raw` have a verdict each, and mark refused ones `{refused}`.
 */
export type Attack = {
  class: string
  /** Where the bytes would go if the proxy were fooled. */
  destination: string
  method: string
  /** Bytes as latin1; several parts are sent `pauseMs` apart. */
  raw: string | string[]
  expect: Verdict
  reason: string
  /** For each line of the audit log; absent: one line, as expected. */
  verdicts?: Verdict[]
  /** What the name server says meanwhile. */
  zone?: Record<string, Answer>
  /** It comes from an address that belongs to no tenant. */
  stranger?: true
  /** Squid refuses it before it keeps who asked: its line has `::` for the client. */
  nameless?: true
  pauseMs?: number
  idleMs?: number
}
export type Verdict = 'allowed' | 'denied'
type More = Partial<Omit<Attack, 'class'>>
type Unclassed = Omit<Attack, 'class'>

export const connect = (authority: string, reason: string, more: More = {}): Unclassed => ({
  destination: authority,
  method: 'CONNECT',
  raw: `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nX-Attack: {id}\r\n\r\n`,
  expect: 'denied',
  reason,
  ...more,
})

/** A plain request for a whole URL, as clients of proxies say it. */
export const ask = (method: string, url: string, reason: string, more: More = {}): Unclassed => ({
  destination: url,
  method,
  raw: `${method} ${url} HTTP/1.1\r\nHost: ${authorityOf(url)}\r\nX-Attack: {id}\r\nConnection: close\r\n\r\n`,
  expect: 'denied',
  reason,
  ...more,
})

export const get = (url: string, reason: string, more: More = {}) => ask('GET', url, reason, more)

/** Bytes as they are. */
export const say = (raw: string | string[], destination: string, reason: string, more: More = {}): Unclassed => ({
  destination,
  method: (Array.isArray(raw) ? raw.join('') : raw).split(/[ \r\n]/, 1)[0]!,
  raw,
  expect: 'denied',
  reason,
  ...more,
})

/** Both ways in: a tunnel to 443 and a plain request to 80. */
export const both = (host: string, reason: string, more: More = {}): Unclassed[] => [
  connect(`${host}:443`, reason, more),
  get(`http://${host}/{id}`, reason, more),
]

/** A name that is on the list and leads where nothing may: what the list cannot see, the address must. */
export const resolving = (label: string, answer: Answer, reason: string, more: More = {}): Unclassed[] => {
  const name = `${label}.tricks.test`
  return both(name, reason, { destination: `${name} -> ${told(answer)}`, zone: { [name]: answer }, ...more })
}

const told = ({ a = [], aaaa = [], cname, rcode, silent }: Answer) =>
  [...a, ...aaaa, cname ?? [], rcode ? `rcode ${rcode}` : [], silent ? 'no answer' : []].flat().join(', ')

export const allowed = { expect: 'allowed' as const }

/** A file of the set: all of one class. */
export const attacks = (name: string, ...cases: (Unclassed | Unclassed[])[]): Attack[] =>
  cases.flat().map(it => ({ class: name, ...it }))

const authorityOf = (url: string) => /^[a-z]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? ''
