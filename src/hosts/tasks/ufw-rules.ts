import { createRequire } from 'node:module'
import { lazily } from '../../engine/lazily.ts'
import { Problem } from '../../engine/problem.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

/** `limit` allows, and refuses a source that comes more than 5 times in 30 s. */
export type UfwAction = 'allow' | 'deny' | 'reject' | 'limit'
export type UfwRule = {
  /** An address, a CIDR or `any`. */
  from: string
  /** A number, or a range like `8000:8100`. */
  port: number | string
  proto: 'tcp' | 'udp'
  /** Only what comes in by this interface. */
  on?: string
  comment: string
  action: UfwAction
}

/** Our rules are known by their comment; all others belong to someone else and are left alone. */
export const ours = 'kapsule-egress: '

/** A rule as the host shows it: `key` is `v4 allow tcp 3128 172.16.28.0/22 [eth0]`, equal for equal rules. */
export type SeenRule = { key: string; comment: string }

/** The keys one wanted rule has: `any` means both families where IPv6 is on. */
export const keysOf = ({ from, port, proto, on, action }: UfwRule, ipv6: boolean): string[] => {
  const rest = `${action} ${proto} ${portOf(port)}`
  const by = on ? ` ${interfaceOf(on)}` : ''
  if (from === 'any') return [`v4 ${rest} any${by}`, ...(ipv6 ? [`v6 ${rest} any${by}`] : [])]
  const { family, cidr } = canonical(from)
  return [`${family} ${rest} ${cidr}${by}`]
}

/** The words `ufw` takes for a rule, escaped by refusal: a comment must be plain. */
export const spec = ({ from, port, proto, on, action }: UfwRule): string =>
  `${action} ${on ? `in on ${interfaceOf(on)} ` : ''}proto ${proto} from ${from === 'any' ? 'any' : canonical(from).cidr} to any port ${portOf(port)}`

/** The same words for a key that was seen. */
export const specOfKey = (key: string): string => {
  const [family, action, proto, port, from, on] = key.split(' ')
  const any = family === 'v4' ? '0.0.0.0/0' : '::/0'
  return `${action} ${on ? `in on ${on} ` : ''}proto ${proto} from ${from === 'any' ? any : from} to any port ${port}`
}

export const commentOf = ({ comment }: UfwRule): string => {
  if (!/^[\w .:,@/()-]+$/.test(comment)) throw invalid(`the comment ${JSON.stringify(comment)}`)
  return ours + comment
}

const portOf = (port: number | string): string => {
  const [first, last = first] = String(port).split(':').map(Number)
  const right = /^\d+(:\d+)?$/.test(String(port)) && first! >= 1 && last! <= 65535 && first! <= last!
  if (!right) throw invalid(`the port ${JSON.stringify(port)}`)
  return String(port)
}

const interfaceOf = (name: string): string => {
  if (!/^[a-zA-Z0-9][\w.-]{0,14}$/.test(name)) throw invalid(`the interface ${JSON.stringify(name)}`)
  return name
}

export const canonical = (text: string): { family: 'v4' | 'v6'; cidr: string } => {
  if (ip().Address4.isValid(text)) {
    const it = new (ip().Address4)(text)
    return { family: 'v4', cidr: `${it.startAddress().correctForm()}/${it.subnetMask}` }
  }
  if (ip().Address6.isValid(text)) {
    const it = new (ip().Address6)(text)
    return { family: 'v6', cidr: `${it.startAddress().correctForm()}/${it.subnetMask}` }
  }
  throw invalid(`the address ${JSON.stringify(text)}`)
}

const invalid = (what: string) =>
  new Problem(`a firewall rule cannot be written`, {
    why: `${what} is not valid in a rule`,
    next: 'correct it in the inventory',
    exit: 2,
  })

/** A `### tuple ###` line of user.rules; null for forms we never write (applications, routes, lists of ports, outgoing). */
export const parseTuple = (family: 'v4' | 'v6', line: string): SeenRule[] | null => {
  const match =
    /^### tuple ### (allow|deny|reject|limit) (tcp|udp|any) (\d+(?::\d+)?) (\S+) any (\S+) in(?:_(\S+))?(?: comment=([0-9a-f]*))?$/.exec(
      line,
    )
  if (!match) return null
  const [, action, proto, port, to, from, on, comment = ''] = match
  if (to !== '0.0.0.0/0' && to !== '::/0') return null
  const text = Buffer.from(comment, 'hex').toString()
  const protos = proto === 'any' ? ['tcp', 'udp'] : [proto]
  return protos.map(it => ({
    key: `${family} ${action} ${it} ${port} ${source(from!)}${on ? ` ${on}` : ''}`,
    comment: text,
  }))
}

const verdicts: Record<string, UfwAction> = { ACCEPT: 'allow', DROP: 'deny', REJECT: 'reject', limit: 'limit' }

/** A line of `iptables -S ufw-user-input` as a key; null for other forms. A limit is three lines: the last one counts. */
export const parseKernel = (family: 'v4' | 'v6', line: string): string | null => {
  const match =
    /^-A ufw6?-user-input(?: -s (\S+))?(?: -i (\S+))? -p (tcp|udp) -m (?:\3 --dport (\d+)|\3 --dport (\d+:\d+)|multiport --dports (\d+:\d+)) -j (ACCEPT|DROP|REJECT|ufw6?-user-(limit)-accept)(?: --reject-with \S+)?$/.exec(
      line,
    )
  if (!match) return null
  const [, from = '0.0.0.0/0', on, proto, port, range, list, target, limit] = match
  return `${family} ${verdicts[limit ?? target!]} ${proto} ${port ?? range ?? list} ${source(from)}${on ? ` ${on}` : ''}`
}

const source = (text: string) => (text === '0.0.0.0/0' || text === '::/0' ? 'any' : canonical(text).cidr)
