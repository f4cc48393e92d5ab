import { Problem } from '../../engine/problem.ts'
import { keysOf, type UfwRule } from './ufw-rules.ts'

/** Our rules live in a policy of their own, which comes before all zones: so they are told from those of others. */
export const policyName = 'kapsule-egress'
export const policyPath = `/etc/firewalld/policies/${policyName}.xml`

const verbs = { allow: 'accept', deny: 'drop', reject: 'reject' } as const

type Rich = { family: string | null; from: string; port: string; proto: string; verb: string; priority: number | null }

/** The same words as UFW's. Throws a Problem for what firewalld has no equal of. */
const rich = (rules: UfwRule[]): Rich[] => {
  const order = new Set(rules.map(it => it.action)).size > 1
  return rules.map((rule, n) => {
    if (rule.action === 'limit') throw none('`limit`: its own limits count all sources together')
    if (rule.on) throw none('`on`: an interface is put into a zone there')
    // The key is checked and has one form for each address.
    const [family, , proto, port, from] = keysOf(rule, false)[0]!.split(' ') as [string, string, string, string, string]
    return {
      family: from === 'any' ? null : family === 'v4' ? 'ipv4' : 'ipv6',
      from,
      port: port.replace(':', '-'),
      proto,
      verb: verbs[rule.action],
      // Without, it sorts them by what they do: what refuses comes first.
      priority: order ? n - 1000 : null,
    }
  })
}

/** As `firewall-cmd --info-policy` prints them. */
export const richRules = (rules: UfwRule[]): string[] =>
  rich(rules).map(({ family, from, port, proto, verb, priority }) =>
    [
      'rule',
      ...(priority === null ? [] : [`priority="${priority}"`]),
      ...(family ? [`family="${family}" source address="${from}"`] : []),
      `port port="${port}" protocol="${proto}" ${verb}`,
    ].join(' '),
  )

/** @see firewalld.policy(5), firewalld.richlanguage(5) */
export const policyXml = (rules: UfwRule[]): string => `<?xml version="1.0" encoding="utf-8"?>
<policy priority="-1" target="CONTINUE">
  <short>${policyName}</short>
  <ingress-zone name="ANY"/>
  <egress-zone name="HOST"/>
${rich(rules)
  .map(
    ({ family, from, port, proto, verb, priority }) =>
      `  <rule${priority === null ? '' : ` priority="${priority}"`}${family ? ` family="${family}"` : ''}>
${family ? `    <source address="${from}"/>\n` : ''}    <port port="${port}" protocol="${proto}"/>
    <${verb}/>
  </rule>
`,
  )
  .join('')}</policy>
`

const none = (what: string) =>
  new Problem('a firewall rule cannot be written for firewalld', {
    why: `firewalld has no equal of ${what}`,
    next: 'write the rule without it',
    exit: 2,
  })
