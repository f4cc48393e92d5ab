/** What the proxy decided about one request, or a tunnel that has ended. Null: the proxy wrote `-`. */
export type AuditLine = {
  /** When it ended, in milliseconds. */
  time: number
  /** null: from nobody's client address. */
  tenant: string | null
  client: string
  listener: string
  method: string
  host: string
  port: number | null
  /** Of plain HTTP, its first 200 characters. */
  path: string
  /** The address that was dialled. */
  resolved: string | null
  /** Our source address. */
  egress: string | null
  status: number
  squid: string
  /** null: what came was no request that anybody could decide about. */
  verdict: Verdict | null
  rule: string
  revision: string
  bytesIn: number
  bytesOut: number
  ms: number
  agent: string
  /** The subject of the client's certificate, where the proxy asks for one: its first 200 characters. */
  certificate?: string
}

export type Verdict = 'allowed' | 'denied' | 'would_deny'

const encoded = ['method', 'host', 'path', 'agent'] as const
const names = [
  ...['time', 'tenant', 'client', 'listener', 'method', 'host', 'port', 'path', 'resolved', 'egress', 'status'],
  ...['squid', 'verdict', 'rule', 'revision', 'bytesIn', 'bytesOut', 'ms', 'agent'],
]
/** Of hosts that ask for certificates. */
const optional = ['certificate']

const field = /"([A-Za-z]+)":"([ !#-[\]-~]*)"(,|\}$)/y

/**
 * Reads one line; null where it is not one of ours. Everything that clients control is URL-encoded in it, so a quote, a
 * backslash, a field twice, missing or too many is a forgery or a line that was cut, never a line to guess about.
 */
export const parseAuditLine = (line: string): AuditLine | null => {
  const it = fieldsOf(line)
  if (!it) return null
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(it.time!) ? Date.parse(it.time!) : Number.NaN
  const status = count(it.status!)
  const [bytesIn, bytesOut, ms] = [count(it.bytesIn!), count(it.bytesOut!), count(it.ms!)]
  const port = it.port === '-' ? null : count(it.port!)
  const verdict = it.verdict === '-' ? null : it.verdict!
  if (Number.isNaN(time) || Number.isNaN(status + bytesIn + bytesOut + ms + (port ?? 0))) return null
  if ((port ?? 0) > 65535 || (verdict !== null && !isVerdict(verdict))) return null
  const [method, host, path, agent] = encoded.map(name => decode(it[name]!))
  const certificate = it.certificate === undefined ? null : known(it.certificate)
  return {
    ...{ time, port, status, verdict, bytesIn, bytesOut, ms },
    ...{ tenant: known(it.tenant!), resolved: known(it.resolved!), egress: known(it.egress!) },
    ...{ client: it.client!, listener: it.listener!, squid: it.squid!, rule: it.rule!, revision: it.revision! },
    ...{ method: method!, host: bare(host!), path: path!, agent: agent! },
    ...(certificate !== null && { certificate: decode(certificate) }),
  }
}

const fieldsOf = (line: string): Record<string, string> | null => {
  if (!line.startsWith('{')) return null
  const found: Record<string, string> = Object.create(null)
  let at = 1
  let end = ''
  for (let n = 0; end !== '}'; n++) {
    field.lastIndex = at
    const match = field.exec(line)
    if (!match || n >= names.length + optional.length || match[1]! in found) return null
    found[match[1]!] = match[2]!
    end = match[3]!
    at = field.lastIndex
  }
  if (at !== line.length || !names.every(it => it in found)) return null
  return Object.keys(found).every(it => names.includes(it) || optional.includes(it)) ? found : null
}

const isVerdict = (it: string): it is Verdict => it === 'allowed' || it === 'denied' || it === 'would_deny'

const count = (text: string): number => (text === '-' ? 0 : /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN)

const known = (text: string): string | null => (text === '-' ? null : text)

/** A value may have been cut in the middle of an escape; what is no UTF-8 stays visible as such. */
const decode = (text: string): string => {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return Buffer.from(bytes, 'latin1').toString('utf8')
  }
}

/** As a policy names it: lower case, without the brackets of IPv6 and one trailing dot. */
const bare = (host: string): string =>
  host
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
    .replace(/(?<=.)\.$/, '')
