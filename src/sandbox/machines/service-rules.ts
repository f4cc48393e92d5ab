import type { ServiceRule } from '../ports.ts'

/** Services as address translation on a node, for its pods and for itself; one endpoint of several is drawn by lot. */
export const serviceRules = (
  services: ServiceRule[],
  { serviceCidr, resident }: { serviceCidr: string; resident: string[] },
) => {
  const ready = services.filter(it => it.endpoints.length > 0)
  const to = ready.map(service => `    ${match(service)} dnat to ${target(service.endpoints)}`).join('\n')
  // a pod that calls its own Service would see its own address come in from outside, and drop it
  const own = [...new Set(ready.flatMap(it => it.endpoints.map(endpoint => endpoint.ip)))]
  return `
  chain prerouting { type nat hook prerouting priority -100; policy accept;
${to}
  }
  chain output { type nat hook output priority -100; policy accept;
${to}
  }
  chain postrouting { type nat hook postrouting priority 100; policy accept;
${own.length > 0 ? `    ip saddr . ip daddr { ${own.map(it => `${it} . ${it}`).join(', ')} } masquerade\n` : ''}  }
  chain forward { type filter hook forward priority -10; policy accept;
    ip daddr ${serviceCidr} ip daddr != { ${resident.join(', ')} } reject
  }`
}

const match = ({ clusterIp, protocol, port }: ServiceRule) =>
  `ip daddr ${clusterIp} ${protocol.toLowerCase()} dport ${port}`

const target = (endpoints: ServiceRule['endpoints']): string => {
  const [only] = endpoints
  if (endpoints.length === 1) return `${only!.ip}:${only!.port}`
  const elements = endpoints.map(({ ip, port }, n) => `${n} : ${ip} . ${port}`).join(', ')
  return `numgen random mod ${endpoints.length} map { ${elements} }`
}
