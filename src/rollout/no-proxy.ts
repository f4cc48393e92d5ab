import type { EnvVar } from './workload.ts'

/** A proxy as pods reach it; `certificates`: by TLS, and with the one that is mounted in them. */
export type ProxyAt = { address: string; port: number; certificates?: boolean }

/** Where a moved pod has its certificate, its key, what it knows the proxy by, and curl's own settings. */
export const PROXY_FILES = '/etc/egress-proxy'

export const proxyUrl = ({ address, port, certificates }: ProxyAt): string =>
  `http${certificates ? 's' : ''}://${address}:${port}`

/** What must never go through the proxy: the pod itself, the cluster, the private network. */
export const noProxy = (
  ranges: { services: string; pods: string; private: string[] },
  also: string[] = [],
): string[] => [
  ...new Set([
    'localhost',
    '127.0.0.1',
    '::1',
    '.svc',
    '.cluster.local',
    ranges.services,
    ranges.pods,
    ...ranges.private,
    ...also,
  ]),
]

/** Both spellings: curl ignores HTTP_PROXY in capitals, others know nothing else. */
export const proxyEnv = (proxy: ProxyAt, without: string[]): EnvVar[] => {
  const url = proxyUrl(proxy)
  const values = { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: without.join(',') }
  return [
    ...Object.entries(values).flatMap(([name, value]) => [
      { name, value },
      { name: name.toLowerCase(), value },
    ]),
    ...(proxy.certificates ? [{ name: 'CURL_HOME', value: PROXY_FILES }] : []),
  ]
}
