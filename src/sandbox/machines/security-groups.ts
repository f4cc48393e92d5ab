import type { SecurityGroup } from '../ports.ts'

/** A guarded port of the internet's router: the link to one server. */
export type Guarded = { port: string; group: SecurityGroup }

/**
 * Rules for the internet's router, where root on the server cannot reach them. Stateful, first match wins; `return` goes
 * on to the other end's group. Sources and destinations outside the sandbox's own range have no business there.
 */
export const securityRules = (cidr: string, guarded: Guarded[]): string => {
  const chains = guarded.flatMap(({ port, group }) => [
    chain(`in_${port}`, 'inbound', group),
    chain(`out_${port}`, 'outbound', group),
  ])
  const jumps = (direction: 'in' | 'out') =>
    guarded.length === 0
      ? ''
      : `${direction === 'in' ? 'oifname' : 'iifname'} vmap { ${guarded.map(({ port }) => `"${port}" : jump ${direction}_${port}`).join(', ')} }`
  const known = 'ct state established,related accept'
  return `${chains.join('\n')}
  chain forward { type filter hook forward priority 0; policy accept;
    ${known}
    ip saddr != ${cidr} drop
    ip daddr != ${cidr} drop
    ${jumps('out')}
    ${jumps('in')}
  }
  chain input { type filter hook input priority 0; policy accept;
    ${known}
    ${jumps('out')}
  }
  chain output { type filter hook output priority 0; policy accept;
    ${known}
    ${jumps('in')}
  }`
}

const chain = (name: string, direction: 'inbound' | 'outbound', group: SecurityGroup): string => {
  const rules = group.rules.filter(it => it.direction === direction).flatMap(rule)
  const otherwise = group[`${direction}Default`]
  return `  chain ${name} {\n${[...rules, verdict(otherwise)].map(it => `    ${it}`).join('\n')}\n  }`
}

const verdict = (action: 'accept' | 'drop') => (action === 'accept' ? 'return' : 'drop')

const rule = ({ direction, action, protocol, ipRange, portFrom, portTo }: SecurityGroup['rules'][number]): string[] => {
  if (ipRange.includes(':')) return [] // there is no IPv6 in this internet
  const end = direction === 'inbound' ? 'saddr' : 'daddr'
  const from = /\/0$/.test(ipRange) ? '' : `ip ${end} ${ipRange} `
  const ports =
    portFrom === null ? '' : portTo === null || portTo === portFrom ? `${portFrom}` : `${portFrom}-${portTo}`
  const what = {
    TCP: ports ? `tcp dport ${ports} ` : 'meta l4proto tcp ',
    UDP: ports ? `udp dport ${ports} ` : 'meta l4proto udp ',
    ICMP: 'meta l4proto icmp ',
    ANY: '',
  }[protocol]
  return [`${from}${what}${verdict(action)}`]
}
