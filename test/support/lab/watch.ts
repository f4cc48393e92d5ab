import { execFileSync } from 'node:child_process'

/** Where something went: `203.0.113.10 tcp 443`. */
export type Destination = `${string} ${string} ${number}`

/**
 * Has the kernel write down the destination of every connection and datagram: those that come in by the link in the
 * namespaces around the proxy, and inside the proxy those of Squid's user that do not leave by the two links.
 */
export const watch = (netns: string, names: { proxy: string }): string[][] => {
  const inside = netns === names.proxy
  const [hook, which] = inside
    ? ['output', 'oifname { "lo", "eth0" } meta skuid proxy']
    : ['prerouting', 'iifname "eth0"']
  const add = (family: string, ip: string, proto: string, first: string) =>
    `add rule inet watch it ${which} ${first} add @seen${family} { ${ip} daddr . meta l4proto . ${proto} dport }`
  const lines = [
    'add table inet watch',
    'add set inet watch seen4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; }',
    'add set inet watch seen6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 65535; }',
    `add chain inet watch it { type filter hook ${hook} priority -300; }`,
    ...(['4', '6'] as const).flatMap(family => {
      const ip = family === '4' ? 'ip' : 'ip6'
      return [add(family, ip, 'tcp', 'tcp flags & (syn | ack) == syn'), add(family, ip, 'udp', 'meta l4proto udp')]
    }),
  ]
  return lines.map(line => ['ip', 'netns', 'exec', netns, 'nft', line])
}

type Listed = { nftables: { set?: { elem?: ({ concat: [string, string, number] } | { elem: unknown })[] } }[] }

export const seenBy = (netns: string): Destination[] => {
  const text = execFileSync('ip', ['netns', 'exec', netns, 'nft', '-j', 'list', 'table', 'inet', 'watch'], {
    encoding: 'utf8',
  })
  return (JSON.parse(text) as Listed).nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map(it => {
      const { concat } = ('elem' in it ? (it.elem as { val: unknown }).val : it) as { concat: [string, string, number] }
      return concat.join(' ') as Destination
    }),
  )
}

export const forget = (netns: string): void => {
  for (const it of ['seen4', 'seen6'])
    execFileSync('ip', ['netns', 'exec', netns, 'nft', 'flush', 'set', 'inet', 'watch', it])
}
