import type { EnvVar } from './workload.ts'

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
export const proxyEnv = (proxy: { address: string; port: number }, without: string[]): EnvVar[] => {
  const url = `http://${proxy.address}:${proxy.port}`
  const values = { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: without.join(',') }
  return Object.entries(values).flatMap(([name, value]) => [
    { name, value },
    { name: name.toLowerCase(), value },
  ])
}
