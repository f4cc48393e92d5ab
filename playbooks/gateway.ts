import type { Desired, Ref } from '../src/engine/desired.ts'
import { type Context, machinesIn } from '../src/inventory/context.ts'
import { existingGateway, existingGatewayKind, existingLeg } from '../src/scaleway/existing-gateway.ts'
import { existingNetwork, existingVpc } from '../src/scaleway/existing-network.ts'
import { gateway } from '../src/scaleway/gateway.ts'
import { gatewayIp, gatewayIpKind } from '../src/scaleway/gateway-ip.ts'
import { gatewayNetwork } from '../src/scaleway/gateway-network.ts'
import { ipamAddress } from '../src/scaleway/ipam-address.ts'
import { privateNetwork } from '../src/scaleway/private-network.ts'
import { sshKey } from '../src/scaleway/ssh-key.ts'
import { vpc } from '../src/scaleway/vpc.ts'

/** The network and its way out: VPC, private network, Public Gateway with NAT and bastion; each ours or adopted. */
export const gatewayPlaybook = (context: Context, operatorKey: string) => {
  const { around, privateNet } = networkOf(context)
  // Booked before anything else joins the network: whatever joins takes the lowest free address.
  const addresses = machinesIn(context)
    .filter(({ proxy }) => !proxy.machine)
    .map(({ proxy }) =>
      ipamAddress(proxy.name, {
        name: proxy.name,
        privateNetworkId: privateNet.out.id,
        subnetId: privateNet.out.subnetId,
        address: proxy.privateIp,
      }),
    )
  const key = sshKey('operator', { name: 'operator', publicKey: operatorKey })
  const { ip, address, nat, made } = wayOut(context, key)
  const { name, existing, zone = context.scaleway.zone } = context.gateway
  const joined = { gatewayId: nat.out.id, privateNetworkId: privateNet.out.id, zone }
  const attached =
    existing && context.network.privateNetwork.existing
      ? existingLeg(name, joined)
      : gatewayNetwork(name, { ...joined, masquerade: true, defaultRoute: true }, { after: addresses })
  return {
    desired: [...around, privateNet, ...addresses, key, ...made, attached] as Desired[],
    privateNet,
    addressOf: (proxy: string) => addresses.find(it => it.id === `ipam-address/${proxy}`)!,
    key,
    /** What has the address of the way out. */
    ip,
    address,
    attached: attached as Desired,
  }
}

const networkOf = ({ network: { vpc: around, privateNetwork: wanted } }: Context) => {
  const { name, cidr, existing, propagateDefaultRoute = false } = wanted
  const main =
    typeof around === 'string'
      ? vpc(around, { name: around })
      : around && existingVpc('vpc', { existing: around.existing, place: 'network.vpc' })
  const privateNet = existing
    ? existingNetwork(name, { existing, place: 'network.privateNetwork', cidr, ...(main && { vpcId: main.out.id }) })
    : privateNetwork(name, { name, vpcId: main!.out.id, cidr, defaultRoutePropagation: propagateDefaultRoute })
  return { around: main ? [main] : [], privateNet }
}

/** A gateway that exists brings its address with it; ours gets one that outlives it. */
const wayOut = ({ scaleway, gateway: wanted }: Context, key: ReturnType<typeof sshKey>) => {
  const { name, existing, bastion, zone = scaleway.zone } = wanted
  if (existing) {
    const nat = existingGateway(name, {
      existing,
      place: 'gateway',
      zone,
      ...(bastion && { bastionPort: bastion.port }),
    })
    return { ip: nat as Desired, address: nat.out.address, nat, made: [nat] }
  }
  const ip = gatewayIp(name, { name, zone })
  const nat = gateway(name, {
    name,
    type: wanted.type!,
    ipId: ip.out.id,
    zone,
    ...(bastion && { bastion: { port: bastion.port, allowedIps: bastion.allow, keyIds: [key.out.id] } }),
  })
  return { ip: ip as Desired, address: ip.out.address, nat, made: [ip, nat] }
}

/** What nodes without a public address leave with, once it is known. */
export const gatewayAddressOf = ({ gateway: { name, existing } }: Context): Ref => ({
  $ref: `${(existing ? existingGatewayKind : gatewayIpKind).name}/${name}`,
  path: 'address',
})
