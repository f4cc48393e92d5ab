import { isIPv4, isIPv6 } from 'node:net'
import { constraint, created, noContent, notFound, ok } from './answer.ts'
import { type Cloud, mustFind, uuid } from './cloud.ts'
import { type Body, count, objects, oneOf, require, text } from './fields.ts'
import { slice } from './lists.ts'
import type { Rule, SecurityGroupRecord } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { changed } from './security-groups.ts'
import { smtpPorts } from './specs.ts'

const root = '/instance/v1/zones/:zone/security_groups/:id/rules'

export const securityGroupRuleRoutes = (cloud: Cloud): Route[] => {
  const groupOf = ({ params, place }: Ask) => mustFind(cloud, 'security_groups', params.id!, place)
  const ruleOf = (group: SecurityGroupRecord, id: string) => {
    const found = group.rules.find(it => it.id === id)
    if (!found) throw notFound('instance_security_group_rule', id)
    return found
  }
  return [
    // Unlike every other list of this API it does not say how many there are.
    route('GET', root, ask => ok({ rules: slice(showRules(groupOf(ask)), ask.query, 'per_page', 50) })),
    route('PUT', root, ask => {
      const group = groupOf(ask)
      group.rules = inOrder(objects(ask.body, 'rules') ?? [])
        .filter(it => it.editable !== false)
        .map(it => parseRule(it))
      changed(cloud, group)
      return ok({ rules: showRules(group) })
    }),
    route('POST', root, ask => {
      const group = groupOf(ask)
      const rule = parseRule(ask.body)
      group.rules.push(rule)
      changed(cloud, group)
      return created({ rule: showRules(group).find(it => it.id === rule.id) })
    }),
    route('DELETE', `${root}/:ruleId`, ask => {
      const group = groupOf(ask)
      const rule = ruleOf(group, ask.params.ruleId!)
      group.rules = group.rules.filter(it => it !== rule)
      changed(cloud, group)
      return noContent
    }),
  ]
}

/** By position where positions are given; otherwise as they came. */
const inOrder = (rules: Body[]) => rules.toSorted((a, b) => (count(a, 'position') ?? 0) - (count(b, 'position') ?? 0))

const parseRule = (body: Body): Rule => {
  require(body, 'action', 'protocol', 'direction', 'ip_range')
  const protocol = oneOf(body, 'protocol', ['TCP', 'UDP', 'ICMP', 'ANY'])!
  const portless = protocol === 'ICMP' || protocol === 'ANY'
  const from = portless ? null : (port(body, 'dest_port_from') ?? null)
  const to = portless ? null : (port(body, 'dest_port_to') ?? null)
  if (to !== null && (from === null || to < from)) throw constraint('dest_port_to', 'must not be below dest_port_from')
  return {
    id: uuid(),
    protocol,
    direction: oneOf(body, 'direction', ['inbound', 'outbound'])!,
    action: oneOf(body, 'action', ['accept', 'drop'])!,
    ip_range: range(text(body, 'ip_range')!),
    dest_port_from: from,
    dest_port_to: to === from ? null : to,
  }
}

const port = (body: Body, key: string) => {
  const value = count(body, key)
  if (value !== undefined && (value < 1 || value > 65_535)) throw constraint(key, 'must be a port')
  return value
}

/** A single host is answered without its mask. */
const range = (asked: string): string => {
  const [address = '', mask, ...rest] = asked.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  const length = mask === undefined ? most : /^\d{1,3}$/.test(mask) ? Number(mask) : 999
  if (rest.length || length > most || most < 0) throw constraint('ip_range', 'must be an IP network')
  return length === most ? address : asked
}

type Shown = Rule & { dest_ip_range: null; position: number; editable: boolean; zone: string }

/** Positions count from 1 in each direction; the closed mail ports come first and cannot be edited. */
const showRules = ({ rules, zone, enable_default_security }: SecurityGroupRecord): Shown[] => {
  const fixed = enable_default_security
    ? ['0.0.0.0/0', '::/0'].flatMap(ip_range => smtpPorts.map(dest_port_from => ({ ip_range, dest_port_from })))
    : []
  const next = { inbound: 1, outbound: 1 }
  return [
    ...fixed.map(({ ip_range, dest_port_from }, index) => ({
      ...{ id: `11111111-2222-4333-8444-00000000000${index + 1}`, protocol: 'TCP' as const },
      ...{ direction: 'outbound' as const, ip_range, dest_ip_range: null, dest_port_from, dest_port_to: null },
      ...{ position: index + 1, editable: false, action: 'drop' as const, zone },
    })),
    ...rules.map(it => ({ ...it, dest_ip_range: null, position: next[it.direction]++, editable: true, zone })),
  ]
}
