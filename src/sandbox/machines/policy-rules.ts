import type { PodFirewall } from '../ports.ts'

type Rule = NonNullable<PodFirewall['egress']>[number]

/**
 * NetworkPolicies as a forward chain of a node. It sees addresses after a Service was translated, so rules match
 * endpoints, as in a real cluster. What a pod may do is decided at both ends; what is not allowed vanishes.
 */
export const policyRules = (pods: PodFirewall[]): string => {
  const isolated = (direction: 'egress' | 'ingress') => pods.filter(it => it[direction] !== undefined)
  const name = (direction: string, podIp: string) => `${direction}_${podIp.replaceAll('.', '_')}`
  const chains = (['egress', 'ingress'] as const).flatMap(direction =>
    isolated(direction).map(pod => {
      const rules = pod[direction]!.flatMap(it => lines(direction, it))
      return `  chain ${name(direction, pod.podIp)} {\n${[...rules, 'drop'].map(it => `    ${it}`).join('\n')}\n  }`
    }),
  )
  const jumps = (direction: 'egress' | 'ingress', end: string) => {
    const elements = isolated(direction).map(it => `${it.podIp} : jump ${name(direction, it.podIp)}`)
    return elements.length === 0 ? '' : `    ip ${end} vmap { ${elements.join(', ')} }\n`
  }
  return `${chains.join('\n')}
  chain forward { type filter hook forward priority 0; policy accept;
    ct state established,related accept
${jumps('egress', 'saddr')}${jumps('ingress', 'daddr')}  }`
}

const lines = (direction: 'egress' | 'ingress', { cidr, except, ports }: Rule): string[] => {
  if (cidr.includes(':')) return []
  const end = direction === 'egress' ? 'daddr' : 'saddr'
  const peer = /\/0$/.test(cidr) ? '' : `ip ${end} ${cidr} `
  const holes = except
    .filter(it => !it.includes(':'))
    .map(it => `ip ${end} != ${it} `)
    .join('')
  if (ports.length === 0) return [`${peer}${holes}return`]
  return ports.map(({ protocol, port, endPort }) => {
    const range = endPort && endPort !== port ? `${port}-${endPort}` : port
    return `${peer}${holes}${protocol.toLowerCase()} dport ${range} return`
  })
}
