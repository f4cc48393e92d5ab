import { attacks, both, resolving } from './attack.ts'

const inner: [address: string, what: string][] = [
  ['0.0.0.0', 'this host'],
  ['0.1.2.3', 'this network'],
  ['10.0.0.0', 'private 10/8, first'],
  ['10.255.255.255', 'private 10/8, last'],
  ['100.64.0.1', 'CGNAT, first'],
  ['100.127.255.254', 'CGNAT, last'],
  ['127.0.0.1', 'loopback'],
  ['127.0.0.53', 'the DNS stub'],
  ['127.255.255.254', 'loopback, last'],
  ['169.254.0.1', 'link-local'],
  ['169.254.42.42', "Scaleway's metadata"],
  ['169.254.169.254', 'metadata'],
  ['169.254.169.123', "a cloud's time server"],
  ['172.16.0.1', 'private 172.16/12, first'],
  ['172.31.255.254', 'private 172.16/12, last'],
  ['192.0.0.1', 'protocol assignments'],
  ['192.0.0.192', "another cloud's metadata"],
  ['192.168.0.1', 'private 192.168/16, first'],
  ['192.168.255.254', 'private 192.168/16, last'],
  ['198.18.0.1', 'benchmarking, first'],
  ['198.19.255.254', 'benchmarking, last'],
  ['224.0.0.1', 'multicast, all systems'],
  ['239.255.255.250', 'multicast, discovery'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
]

/** Neighbours of the ranges that are public: a mask that is one bit too wide would refuse them. */
const outer = [
  ...['1.0.0.1', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '126.255.255.255', '128.0.0.1'],
  ...['169.253.255.255', '169.255.0.1', '172.15.255.255', '172.32.0.1', '192.0.1.1', '192.167.255.255', '192.169.0.1'],
  ...['198.17.255.255', '198.20.0.1', '223.255.255.254'],
]

/** Addresses that only this installation knows. */
const ours: [address: string, what: string][] = [
  ['172.16.28.8', 'a neighbour in the private network'],
  ['172.16.31.254', 'the end of the private network'],
  ['172.16.28.1', 'the gateway of the private network'],
  ['100.64.0.10', 'a pod'],
  ['100.65.255.254', 'the last pod'],
  ['10.32.0.1', "the cluster's API, as a Service"],
  ['10.32.0.10', "the cluster's DNS"],
  ['10.47.255.254', 'the last Service'],
]

export const ranges = attacks(
  'special ranges',
  ...inner.map(([address, what], n) => resolving(`four-${n}`, { a: [address] }, `${what}: ${address}`)),
  ...outer.map((address, n) =>
    resolving(`public-${n}`, { a: [address] }, `public, beside a special range: ${address}`, { expect: 'allowed' }),
  ),
)

export const cluster = attacks(
  'cluster and private network',
  ...ours.map(([address, what], n) => [
    ...resolving(`ours-${n}`, { a: [address] }, `${what}: ${address}`),
    ...both(address, what),
  ]),
  both('kubernetes.default.svc', "the cluster's API by its name inside"),
  both('kubernetes.default.svc.cluster.local', "the cluster's API by its whole name inside"),
)
