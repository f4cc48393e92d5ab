import { isIP } from 'node:net'

type Asked = { host: string; port: number | null; method: string; rule: string; requests: number }

/**
 * Entries for `egress.allow` that let through exactly these would-be denials, as YAML; empty: none would help. What a
 * deny entry refuses needs that entry gone, so it is only named. Hosts are told most asked for first.
 */
export const suggestAllow = (asked: readonly Asked[]): string => {
  const denied = [...new Set(asked.filter(it => /^deny(-all)?:[a-z0-9._:/-]+$/.test(it.rule)).map(it => it.rule))]
  const named = asked.filter(it => it.port !== null && isName(it.host) && /^[A-Z]+$/.test(it.method))
  const hosts = Map.groupBy(
    named.filter(it => !it.rule.startsWith('deny') && !isListed(it)),
    it => it.host,
  )
  // A second entry with its name would be a mistake.
  const wider = named
    .filter(isListed)
    .map(({ host, port, method }) => `${host} is listed, and not for ${method} on port ${port}`)
  const entries = [...hosts]
    .map(([host, all]) => ({ text: entryOf(host, all), requests: all.reduce((sum, it) => sum + it.requests, 0) }))
    .sort((a, b) => b.requests - a.requests || (a.text < b.text ? -1 : 1))
  return [
    ...denied.map(it => `# ${it} refuses requests: an allow entry does not change that\n`),
    ...[...new Set(wider)].map(it => `# ${it}: widen its entry\n`),
    ...entries.map(({ text, requests }) => `- { ${text} } # ${requests} ${requests === 1 ? 'request' : 'requests'}\n`),
  ].join('')
}

const isListed = ({ rule }: Asked) => rule === 'port' || rule === 'method'

/** As narrow as one entry can say it: two entries with one name would be a mistake in the inventory. */
const entryOf = (host: string, asked: readonly Asked[]): string => {
  const ports = (tunnel: boolean) =>
    [...new Set(asked.filter(it => (it.method === 'CONNECT') === tunnel).map(it => it.port!))].sort((a, b) => a - b)
  const [connect, http] = [ports(true), ports(false)]
  const all = [...new Set([...connect, ...http])].sort((a, b) => a - b)
  // With both protocols a port counts for tunnels unless it is 80, and for plain HTTP unless it is 443.
  const odd = connect.includes(80) || http.includes(443)
  const usual = connect.every(it => it === 443) && http.every(it => it === 80)
  const protocols = connect.length === 0 ? ['http'] : http.length === 0 ? ['connect'] : odd ? ['connect', 'http'] : []
  return [
    isIP(host) ? `address: ${JSON.stringify(host)}` : `domain: ${host}`,
    ...(usual ? [] : [`ports: [${all.join(', ')}]`]),
    ...(protocols.length > 0 ? [`protocols: [${protocols.join(', ')}]`] : []),
  ].join(', ')
}

/** What the inventory could take. A log holds whatever a client wrote, and YAML is no place for that. */
const isName = (host: string): boolean => {
  if (isIP(host)) return true
  const labels = host.split('.')
  return (
    host.length <= 253 && labels.length > 1 && labels.every(it => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(it))
  )
}
