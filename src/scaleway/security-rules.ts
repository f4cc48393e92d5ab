import type { Instancev1 } from '@scaleway/sdk'
import type { Detail } from '../engine/kind.ts'

/** `ports`: both ends included; absent for ICMP, ANY, or all ports. */
export type SecurityRule = {
  direction: 'inbound' | 'outbound'
  action: 'accept' | 'drop'
  protocol: 'TCP' | 'UDP' | 'ICMP' | 'ANY'
  ipRange: string
  ports?: { from: number; to: number }
}
/** One spelling of a rule, e.g. `inbound accept TCP 10.0.0.0/8 22-23`: no single-host mask, one port when both are equal. */
const line = (
  direction: string,
  action: string,
  protocol: string,
  ipRange: string,
  from?: number,
  to?: number,
): string => {
  const ports = from === undefined || from === null || from === 0 ? '' : ` ${from}${to && to !== from ? `-${to}` : ''}`
  return `${direction} ${action} ${protocol} ${ipRange.replace(ipRange.includes(':') ? /\/128$/ : /\/32$/, '')}${ports}`
}

export const parseRule = (text: string): SecurityRule => {
  const [direction, action, protocol, ipRange, ports] = text.split(' ') as [
    SecurityRule['direction'],
    SecurityRule['action'],
    SecurityRule['protocol'],
    string,
    string?,
  ]
  const [from, to] = (ports ?? '').split('-').map(Number)
  return { direction, action, protocol, ipRange, ...(from && { ports: { from, to: to ?? from } }) }
}

export const linesOf = (rules: SecurityRule[]): string[] =>
  inOrder(rules.map(it => line(it.direction, it.action, it.protocol, it.ipRange, it.ports?.from, it.ports?.to)))

/** The lines of a group's rules as the API lists them: six that are not editable are Scaleway's own drops of SMTP. */
export const linesIn = (rules: Instancev1.SecurityGroupRule[]): string[] =>
  inOrder(
    rules
      .filter(it => it.editable)
      .sort((a, b) => a.position - b.position)
      .map(it => line(it.direction, it.action, it.protocol, it.ipRange, it.destPortFrom, it.destPortTo)),
  )

/** Positions are counted per direction, so only the order within one can be compared. */
const inOrder = (lines: string[]): string[] => [
  ...lines.filter(it => it.startsWith('inbound')),
  ...lines.filter(it => it.startsWith('outbound')),
]

export const ruleChanges = (live: string[], want: string[]): Detail | null => {
  if (live.join('\n') === want.join('\n')) return null
  const gone = live.filter(it => !want.includes(it)).map(it => `- ${it}`)
  const added = want.filter(it => !live.includes(it)).map(it => `+ ${it}`)
  const diff = [...gone, ...added].join('\n') || `order: ${want.join(' | ')}`
  return { name: 'rules', action: 'update', diff }
}
