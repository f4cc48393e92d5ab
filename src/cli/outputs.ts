import type { Json } from '../engine/json.ts'
import { liveOf } from './rollout/gates.ts'
import type { Staged } from './staged.ts'

/** The Contract's `outputs`: what other tools want to know of what stands. Absent: not there. */
export const outputsOf = (staged: Staged): { [key: string]: Json } => {
  const { ids } = staged.site
  const text = (id: string, key: string) => {
    const value = liveOf(staged, id)?.[key]
    return typeof value === 'string' ? value : undefined
  }
  const proxies = ids.proxies.map(it => ({
    name: it.name,
    public_ip: it.existing?.publicIp ?? text(it.flexibleIp, 'address'),
    private_ip: it.existing?.privateIp ?? text(it.address, 'address'),
    ...(it.tenants && {
      tenants: Object.fromEntries(
        it.tenants.map(({ tenant, flexibleIp, existing }) => [
          tenant,
          withoutGaps({ public_ip: existing?.publicIp ?? text(flexibleIp, 'address') }),
        ]),
      ),
    }),
  }))
  // Pods have no address of their own that others could use.
  const gateways = ids.gateways.map(({ name, publicIp }) => ({
    ...{ name, private_ip: undefined },
    public_ip: publicIp ?? text(ids.gatewayIp, 'address'),
  }))
  const all = [...proxies, ...gateways]
  const [first] = all
  return withoutGaps({
    proxy_public_ip: first?.public_ip,
    proxy_private_ip: first?.private_ip,
    gateway_public_ip: text(ids.gatewayIp, 'address'),
    cluster_id: text(ids.cluster, 'id'),
    kubeconfig: staged.session.context.cluster.kubeconfig ?? text(ids.kubeconfig, 'path'),
    proxies: Object.fromEntries(all.map(({ name, ...it }) => [name, withoutGaps(it)])),
  })
}

const withoutGaps = (it: { [key: string]: Json | undefined }): { [key: string]: Json } =>
  Object.fromEntries(Object.entries(it).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
