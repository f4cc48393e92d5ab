import { exporterPorts, healthPort } from '../src/hosts/monitoring.ts'
import { type Context, machinesIn, type ProxyHost } from '../src/inventory/context.ts'
import { isInside } from '../src/inventory/ranges.ts'
import { flexibleIp } from '../src/scaleway/flexible-ip.ts'
import { securityGroup } from '../src/scaleway/security-group.ts'
import { server } from '../src/scaleway/server.ts'
import type { gatewayPlaybook } from './gateway.ts'

/**
 * Proxy VMs: each its fixed private address, its own flexible IP, and a security group in front. One that several
 * tenants share has more flexible IPs, for those that do not leave with its own.
 */
export const proxyPlaybook = (
  context: Context,
  operatorKey: string,
  { privateNet, addressOf, key }: ReturnType<typeof gatewayPlaybook>,
) => {
  const { protect, scaleway, ssh, network, monitoring } = context
  const guardIn = (zone: string, ports: number[]) =>
    securityGroup(zone === scaleway.zone ? 'proxy' : `proxy-${zone}`, {
      name: 'egress-proxy',
      zone,
      inboundDefault: 'drop',
      outboundDefault: 'accept',
      rules: [
        ...ssh.allow.map(range => rule(range, ssh.port)),
        ...ports.map(port => rule(network.privateNetwork.cidr, port)),
        // Private networks are not behind a security group.
        ...(monitoring?.allow ?? [])
          .filter(it => !isInside(it))
          .flatMap(range => [...Object.values(exporterPorts), healthPort].map(port => rule(range, port))),
      ],
    })
  const zoneOf = (proxy: ProxyHost) => proxy.zone ?? scaleway.zone
  // A machine that exists already is nobody's to make.
  const made = machinesIn(context).filter(({ proxy }) => !proxy.machine)
  const portsIn = (zone: string) => portsOf(made.filter(it => zoneOf(it.proxy) === zone).flatMap(it => it.serves))
  const zones = [...new Set(made.map(it => zoneOf(it.proxy)))]
  const guards = new Map(zones.map(zone => [zone, guardIn(zone, portsIn(zone))]))
  const proxies = made.map(({ proxy, serves }) => {
    const zone = zoneOf(proxy)
    const more = serves.flatMap(({ proxy: { flexibleIp: name } }) => (name ? [flexibleIp(name, { name, zone })] : []))
    const ip = flexibleIp(proxy.name, { name: proxy.name, zone })
    const machine = server(
      proxy.name,
      {
        name: proxy.name,
        type: proxy.type!,
        image: proxy.image!,
        protected: (protect || proxy.protect) ?? false,
        zone,
        ...(proxy.rootVolumeGb && { rootVolumeGb: proxy.rootVolumeGb }),
        privateNetworkId: privateNet.out.id,
        ipamIpId: addressOf(proxy.name).out.id,
        flexibleIpId: ip.out.id,
        ...(more.length > 0 && { moreFlexibleIpIds: more.map(it => it.out.id) }),
        securityGroupId: guards.get(zone)!.out.id,
        cloudInit: {
          hostname: proxy.name,
          users: [],
          authorizedKeys: [operatorKey],
          packages: [],
          writeFiles: [],
          runcmd: [],
        },
      },
      // A server takes the project's keys when it boots.
      { after: [key] },
    )
    return { name: proxy.name, ip, more, machine }
  })
  return {
    desired: [...guards.values(), ...proxies.flatMap(({ ip, more, machine }) => [ip, ...more, machine])],
    proxies,
  }
}

/** The ports that tenants ask, sorted. */
export const portsOf = (serves: readonly { proxy: ProxyHost }[]): number[] =>
  [...new Set(serves.map(it => it.proxy.port))].sort((a, b) => a - b)

const rule = (ipRange: string, port: number) => ({
  direction: 'inbound' as const,
  action: 'accept' as const,
  protocol: 'TCP' as const,
  ipRange,
  ports: { from: port, to: port },
})
