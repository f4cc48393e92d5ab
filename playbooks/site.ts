import type { Desired } from '../src/engine/desired.ts'
import { type Context, isGateway, machinesIn } from '../src/inventory/context.ts'
import { gatewayName } from '../src/rollout/gateway-pod/manifests.ts'
import { clusterPlaybook } from './cluster.ts'
import { configurePlaybook } from './configure.ts'
import { gatewayPlaybook } from './gateway.ts'
import { protectedIn } from './protect.ts'
import { proxyPlaybook } from './proxy.ts'
import { type RolloutPhase, rolloutPlaybook } from './rollout.ts'

export const stageNames = ['gateway', 'proxy', 'cluster', 'configure', 'rollout', 'verify'] as const
export type StageName = (typeof stageNames)[number]

/** Everything that should be true in a context, by stage; and where the later stages find their values. */
export type Site = {
  stages: Record<StageName, Desired[]>
  phases: RolloutPhase[]
  /** What is at Scaleway: what `destroy` takes down, and what is adopted and stays. */
  cloud: Desired[]
  /** Ids that the inventory protects: never replaced, never deleted. */
  protectedIds: ReadonlySet<string>
  ids: { gatewayIp: string; cluster: string; kubeconfig: string; proxies: ProxyIds[]; gateways: GatewayIds[] }
}

/** Of a tenant that leaves by pods; without `publicIp` they leave with the gateway's. */
export type GatewayIds = { name: string; tenant: string; publicIp?: string }

export type ProxyIds = {
  name: string
  /** Of one that several tenants share: what each leaves with. */
  tenants?: { tenant: string; flexibleIp: string; existing?: { publicIp: string } }[]
  flexibleIp: string
  address: string
  play: string
  /** One that nobody made here has its addresses from the inventory. */
  existing?: { publicIp: string; privateIp: string }
}

export const site = (
  context: Context,
  { operatorKey, kubeconfig }: { operatorKey: string; kubeconfig: string },
): Site => {
  const gateway = gatewayPlaybook(context, operatorKey)
  const proxy = proxyPlaybook(context, operatorKey, gateway)
  const cluster = clusterPlaybook(context, kubeconfig, gateway)
  const configure = configurePlaybook(context, proxy, gateway)
  const inCluster = cluster.desired.filter(it => !cluster.cloud.some(cloud => cloud.id === it.id))
  const phases = rolloutPlaybook(
    context,
    cluster.kubeconfig,
    [...inCluster, ...configure.desired],
    configure.authorities,
  )
  return {
    stages: {
      gateway: gateway.desired,
      proxy: proxy.desired,
      cluster: cluster.desired,
      configure: configure.desired,
      rollout: phases.flatMap(it => it.desired),
      verify: [],
    },
    phases,
    protectedIds: protectedIn(context),
    cloud: [...gateway.desired, ...proxy.desired, ...cluster.cloud],
    ids: {
      gatewayIp: gateway.ip.id,
      cluster: cluster.id,
      kubeconfig: `kubeconfig/${context.cluster.name}`,
      proxies: machinesIn(context).map(({ proxy: { name, existing, privateIp }, serves }) => ({
        name,
        ...(serves.length > 1 && {
          tenants: serves.map(({ tenant: { tenant }, proxy: { flexibleIp = name, existing } }) => ({
            tenant,
            flexibleIp: `flexible-ip/${flexibleIp}`,
            ...(existing && { existing: { publicIp: existing.publicIp } }),
          })),
        }),
        flexibleIp: `flexible-ip/${name}`,
        address: `ipam-address/${name}`,
        play: `host-play/${name}`,
        ...(existing && { existing: { publicIp: existing.publicIp, privateIp } }),
      })),
      gateways: context.tenants.filter(isGateway).map(({ tenant, egress: { gateway } }) => ({
        ...{ name: gatewayName(tenant), tenant },
        ...(gateway.publicIp !== undefined && { publicIp: gateway.publicIp }),
      })),
    },
  }
}
