import { type Context, proxiesIn } from '../src/inventory/context.ts'

/**
 * The ids that `protect: true` covers. A proxy's addresses go with it: partners have them on their lists, so they are
 * what must not be lost; a gateway's address likewise.
 */
export const protectedIn = ({ protect, network, gateway, cluster, tenants }: Context): ReadonlySet<string> => {
  const on = (own: boolean | undefined, ...ids: string[]) => (protect || own ? ids : [])
  return new Set([
    ...on(
      network.protect,
      ...(typeof network.vpc === 'string' ? [`vpc/${network.vpc}`] : []),
      ...(network.privateNetwork.existing ? [] : [`private-network/${network.privateNetwork.name}`]),
    ),
    ...(gateway.existing ? [] : on(gateway.protect, `gateway/${gateway.name}`, `gateway-ip/${gateway.name}`)),
    ...(gateway.existing && network.privateNetwork.existing
      ? []
      : on(gateway.protect, `gateway-network/${gateway.name}`)),
    ...(cluster.kubeconfig || cluster.existing ? [] : on(cluster.protect, `cluster/${cluster.name}`)),
    ...(cluster.kubeconfig
      ? []
      : [...cluster.pools, ...tenants.map(it => it.pool)].flatMap(it => on(it.protect, `pool/${it.name}`))),
    ...proxiesIn({ tenants }).flatMap(({ proxy }) =>
      on(
        proxy.protect,
        `server/${proxy.name}`,
        `flexible-ip/${proxy.name}`,
        `ipam-address/${proxy.name}`,
        ...(proxy.flexibleIp ? [`flexible-ip/${proxy.flexibleIp}`] : []),
      ),
    ),
  ])
}
