import type { Context } from '../src/inventory/context.ts'
import { flexibleIp } from '../src/scaleway/flexible-ip.ts'
import { securityGroup } from '../src/scaleway/security-group.ts'
import { server } from '../src/scaleway/server.ts'
import type { gatewayPlaybook } from './gateway.ts'

/** One proxy VM per tenant: its fixed private address, its own flexible IP, and a security group in front. */
export const proxyPlaybook = (
  { ssh, network, tenants }: Context,
  operatorKey: string,
  { privateNet, addressOf, key }: ReturnType<typeof gatewayPlaybook>,
) => {
  const guard = securityGroup('proxy', {
    name: 'egress-proxy',
    inboundDefault: 'drop',
    outboundDefault: 'accept',
    rules: [...ssh.allow.map(range => rule(range, ssh.port)), rule(network.privateNetwork.cidr, proxyPort)],
  })
  const proxies = tenants.map(({ tenant, egress: { proxy } }) => {
    const ip = flexibleIp(proxy.name, { name: proxy.name })
    const machine = server(
      proxy.name,
      {
        name: proxy.name,
        type: proxy.type,
        image: proxy.image,
        privateNetworkId: privateNet.out.id,
        ipamIpId: addressOf(proxy.name).out.id,
        flexibleIpId: ip.out.id,
        securityGroupId: guard.out.id,
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
    return { tenant, ip, machine }
  })
  return { desired: [guard, ...proxies.flatMap(({ ip, machine }) => [ip, machine])], proxies }
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
