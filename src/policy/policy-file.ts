import { Problem } from '../engine/problem.ts'
import type { Policy, Ports, Rule } from './policy.ts'
import { verbs } from './policy.ts'

const format = ['kapsule-egress-policy', '1']

/** The policy as the proxy's helper reads it: a line a rule, tab-separated, and at the end how many there are. */
export const policyText = ({ tenant, mode, rules }: Policy): string =>
  [
    format,
    ['tenant', tenant],
    ['mode', mode],
    ...rules.map(it => [
      it.effect,
      it.name,
      portsText(it.connect),
      portsText(it.http),
      it.methods?.join(',') ?? '*',
      it.expires ?? '-',
      it.id,
    ]),
    ['end', String(rules.length)],
  ]
    .map(fields => `${fields.join('\t')}\n`)
    .join('')

/**
 * The same, back; comments and who asked stay in the inventory. Throws a Problem with the line for anything that
 * `policyText` would not have written: a file that was cut off or edited is not half a policy.
 */
export const readPolicy = (text: string, file = 'the policy file'): Policy => {
  const lines = text.split('\n').map(it => it.split('\t'))
  const wrong = (at: number, why: string) =>
    new Problem(`${file}:${at + 1} is not part of a policy`, {
      why,
      next: 'configure the proxy again: it writes the file anew',
    })
  const one = (at: number, key: string, value: RegExp): string => {
    const [word, found, ...more] = lines[at] ?? []
    if (word !== key || found === undefined || more.length > 0 || !value.test(found))
      throw wrong(at, `the line should be ${key} and its value`)
    return found
  }
  if (lines.pop()?.join('') !== '') throw wrong(lines.length, 'the last line is cut off')
  one(0, format[0]!, /^1$/)
  const tenant = one(1, 'tenant', /^[a-z0-9][a-z0-9-]*$/)
  const mode = one(2, 'mode', /^(enforce|report)$/) as Policy['mode']
  const last = lines.length - 1
  const count = Number(one(last, 'end', /^\d+$/))
  if (count !== last - 3) throw wrong(last, `it says ${count} rules, and there are ${last - 3}`)
  const ids = new Set<string>()
  const rules = lines.slice(3, last).map((fields, n) => {
    const rule = ruleOf(fields)
    if (!rule) throw wrong(n + 3, 'it is no rule')
    if (ids.has(rule.id)) throw wrong(n + 3, `${rule.id} is there twice`)
    ids.add(rule.id)
    return rule
  })
  return { tenant, mode, rules }
}

const ruleOf = (fields: string[]): Rule | null => {
  const [effect, name = '', connect = '', http = '', methods = '', expires = '', id = ''] = fields
  if (fields.length !== 7 || (effect !== 'allow' && effect !== 'deny')) return null
  const ports = [portsOf(connect), portsOf(http)] as const
  if (!ports[0] || !ports[1] || !/^[a-z0-9._:-]+$/.test(name) || !/^[a-z0-9._:/-]+$/.test(id)) return null
  if (expires !== '-' && !/^\d{4}-\d\d-\d\d$/.test(expires)) return null
  const named = methods === '*' ? null : methods.split(',')
  if (named?.some(it => !verbs.includes(it))) return null
  return {
    ...{ id, effect, name, connect: ports[0], http: ports[1], methods: named },
    ...{ expires: expires === '-' ? null : expires, comment: null, requestedBy: null },
  }
}

const portsText = (ports: Ports): string => (ports === '*' ? '*' : ports.join(',') || '-')

const portsOf = (text: string): Ports | null => {
  if (text === '*') return '*'
  if (text === '-') return []
  const words = text.split(',')
  return words.every(it => /^[1-9]\d{0,4}$/.test(it) && Number(it) <= 65535) ? words.map(Number) : null
}
