import { Address4, Address6 } from 'ip-address'
import { Problem } from '../../engine/problem.ts'

export type UfwAction = 'allow' | 'deny' | 'reject'
/** `from` is an address, a CIDR or `any`. */
export type UfwRule = { from: string; port: number; proto: 'tcp' | 'udp'; comment: string; action: UfwAction }

/** Our rules are known by their comment; all others belong to someone else and are left alone. */
export const ours = 'kapsule-egress: '

/** A rule as the host shows it: `key` is `v4 allow tcp 3128 172.16.28.0/22`, equal for equal rules. */
export type SeenRule = { key: string; comment: string }

/** The keys one wanted rule has: `any` means both families where IPv6 is on. */
export const keysOf = ({ from, port, proto, action }: UfwRule, ipv6: boolean): string[] => {
  const rest = `${action} ${proto} ${port}`
  if (from === 'any') return [`v4 ${rest} any`, ...(ipv6 ? [`v6 ${rest} any`] : [])]
  const { family, cidr } = canonical(from)
  return [`${family} ${rest} ${cidr}`]
}

/** The words `ufw` takes for a rule, escaped by refusal: a comment must be plain. */
export const spec = ({ from, port, proto, action }: UfwRule): string =>
  `${action} proto ${proto} from ${from === 'any' ? 'any' : canonical(from).cidr} to any port ${port}`

/** The same words for a key that was seen. */
export const specOfKey = (key: string): string => {
  const [family, action, proto, port, from] = key.split(' ')
  const any = family === 'v4' ? '0.0.0.0/0' : '::/0'
  return `${action} proto ${proto} from ${from === 'any' ? any : from} to any port ${port}`
}

export const commentOf = ({ comment }: UfwRule): string => {
  if (!/^[\w .:,@/()-]*$/.test(comment)) throw invalid(`the comment ${JSON.stringify(comment)}`)
  return ours + comment
}

const canonical = (text: string): { family: 'v4' | 'v6'; cidr: string } => {
  if (Address4.isValid(text)) {
    const it = new Address4(text)
    return { family: 'v4', cidr: `${it.startAddress().correctForm()}/${it.subnetMask}` }
  }
  if (Address6.isValid(text)) {
    const it = new Address6(text)
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

/** A `### tuple ###` line of user.rules; null for forms we never write (applications, interfaces, routes, ranges). */
export const parseTuple = (family: 'v4' | 'v6', line: string): SeenRule[] | null => {
  const match =
    /^### tuple ### (allow|deny|reject) (tcp|udp|any) (\d+) (\S+) any (\S+) in(?: comment=([0-9a-f]*))?$/.exec(line)
  if (!match) return null
  const [, action, proto, port, to, from, comment = ''] = match
  if (to !== '0.0.0.0/0' && to !== '::/0') return null
  const text = Buffer.from(comment, 'hex').toString()
  const protos = proto === 'any' ? ['tcp', 'udp'] : [proto]
  return protos.map(it => ({ key: `${family} ${action} ${it} ${port} ${source(from!)}`, comment: text }))
}

const verdicts: Record<string, UfwAction> = { ACCEPT: 'allow', DROP: 'deny', REJECT: 'reject' }

/** A line of `iptables -S ufw-user-input` as a key; null for other forms. */
export const parseKernel = (family: 'v4' | 'v6', line: string): string | null => {
  const match =
    /^-A ufw6?-user-input(?: -s (\S+))? -p (tcp|udp) -m \2 --dport (\d+) -j (ACCEPT|DROP|REJECT)(?: --reject-with \S+)?$/.exec(
      line,
    )
  return match && `${family} ${verdicts[match[4]!]} ${match[2]} ${match[3]} ${source(match[1] ?? '0.0.0.0/0')}`
}

const source = (text: string) => (text === '0.0.0.0/0' || text === '::/0' ? 'any' : canonical(text).cidr)
