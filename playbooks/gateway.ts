import type { Context } from '../src/inventory/context.ts'
import { gateway } from '../src/scaleway/gateway.ts'
import { gatewayIp } from '../src/scaleway/gateway-ip.ts'
import { gatewayNetwork } from '../src/scaleway/gateway-network.ts'
import { ipamAddress } from '../src/scaleway/ipam-address.ts'
import { privateNetwork } from '../src/scaleway/private-network.ts'
import { sshKey } from '../src/scaleway/ssh-key.ts'
import { vpc } from '../src/scaleway/vpc.ts'

/** The network and its way out: VPC, private network, Public Gateway with NAT and bastion. */
export const gatewayPlaybook = ({ scaleway, network, gateway: wanted, tenants }: Context, operatorKey: string) => {
  const main = vpc(network.vpc, { name: network.vpc })
  const { name, cidr } = network.privateNetwork
  const privateNet = privateNetwork(name, { name, vpcId: main.out.id, cidr })
  // Booked before anything else joins the network: whatever joins takes the lowest free address.
  const addresses = tenants.map(({ egress: { proxy } }) =>
    ipamAddress(proxy.name, { name: proxy.name, privateNetworkId: privateNet.out.id, address: proxy.privateIp }),
  )
  const key = sshKey('operator', { name: 'operator', publicKey: operatorKey })
  const zone = wanted.zone ?? scaleway.zone
  const ip = gatewayIp(wanted.name, { name: wanted.name, zone })
  const nat = gateway(wanted.name, {
    name: wanted.name,
    type: wanted.type,
    ipId: ip.out.id,
    zone,
    ...(wanted.bastion && {
      bastion: { port: wanted.bastion.port, allowedIps: wanted.bastion.allow, keyIds: [key.out.id] },
    }),
  })
  const attached = gatewayNetwork(
    wanted.name,
    { gatewayId: nat.out.id, privateNetworkId: privateNet.out.id, masquerade: true, defaultRoute: true, zone },
    { after: addresses },
  )
  return {
    desired: [main, privateNet, ...addresses, key, ip, nat, attached],
    privateNet,
    addressOf: (proxy: string) => addresses.find(it => it.id === `ipam-address/${proxy}`)!,
    key,
    ip,
    attached,
  }
}
