import { type Context, type ProxyHost, proxiesIn } from '../src/inventory/context.ts'
import { flexibleIp } from '../src/scaleway/flexible-ip.ts'
import { securityGroup } from '../src/scaleway/security-group.ts'
import { server } from '../src/scaleway/server.ts'
import type { gatewayPlaybook } from './gateway.ts'

/** A tenant's proxy VMs: each its fixed private address, its own flexible IP, and a security group in front. */
export const proxyPlaybook = (
  { protect, scaleway, ssh, network, tenants }: Context,
  operatorKey: string,
  { privateNet, addressOf, key }: ReturnType<typeof gatewayPlaybook>,
) => {
  const guardIn = (zone: string) =>
    securityGroup(zone === scaleway.zone ? 'proxy' : `proxy-${zone}`, {
      name: 'egress-proxy',
      zone,
      inboundDefault: 'drop',
      outboundDefault: 'accept',
      rules: [...ssh.allow.map(range => rule(range, ssh.port)), rule(network.privateNetwork.cidr, proxyPort)],
    })
  const zoneOf = (proxy: ProxyHost) => proxy.zone ?? scaleway.zone
  // A machine that exists already is nobody's to make.
  const made = proxiesIn({ tenants }).flatMap(({ proxy }) => (proxy.machine ? [] : [proxy]))
  const guards = new Map([...new Set(made.map(zoneOf))].map(zone => [zone, guardIn(zone)]))
  const proxies = made.map(proxy => {
    const zone = zoneOf(proxy)
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
    return { name: proxy.name, ip, machine }
  })
  return { desired: [...guards.values(), ...proxies.flatMap(({ ip, machine }) => [ip, machine])], proxies }
}

/** Squid's port, on every proxy. */
export const proxyPort = 3128

const rule = (ipRange: string, port: number) => ({
  direction: 'inbound' as const,
  action: 'accept' as const,
  protocol: 'TCP' as const,
  ipRange,
  ports: { from: port, to: port },
})
