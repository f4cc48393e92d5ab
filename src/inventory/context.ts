import type { Machine } from './ansible/login.ts'
import type { Certificates } from './certificates.ts'
import type { Gateway } from './check-gateway.ts'
import type { ProxyFile } from './proxies.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'

/** A tenant with all defaults filled in. */
export type Tenant = Omit<TenantFile, 'workloads' | 'egress'> & {
  workloads: NonNullable<TenantFile['workloads']>
  egress: Omit<TenantFile['egress'], 'proxy' | 'proxies' | 'clientCertificates' | 'gateway'> & {
    clientCertificates?: Certificates
    /** Hosts; none where pods of the cluster are the way out. */
    proxies: ProxyHost[]
    gateway?: Gateway
    /** How pods reach them: the address of the only one, a Service before all of them, or that of the gateway's pods. */
    through: 'address' | 'service' | 'gateway'
  }
}

/** One that leaves by pods of the cluster. */
export type GatewayTenant = Tenant & { egress: { gateway: Gateway } }

export const isGateway = (tenant: Tenant): tenant is GatewayTenant => tenant.egress.gateway !== undefined

/** `machine`: as Ansible's inventory knows one that exists already. */
export type ProxyHost = ProxyFile & { machine?: Machine }

/** One environment, validated and frozen. Paths are absolute. */
export type Context = Omit<ContextFile, 'verify' | 'network' | 'cluster'> & {
  network: ContextFile['network'] & { privateNetwork: { name: string } }
  cluster: ContextFile['cluster'] & { name: string }
  verify: { echo: string[]; forbidden: string; probeImage: string }
  tenants: Tenant[]
  /** Tenants that a run leaves out, and that share a proxy with one that it is about: a proxy is configured whole. */
  neighbours?: Tenant[]
  /** The same that share a partner's list: what they still need stays in it. */
  partners?: Tenant[]
}

type Served = { tenant: Tenant; proxy: ProxyHost }

/** Every proxy VM once, with all that it serves: by their names, so that no order of files or limits changes it. */
export const machinesIn = ({
  tenants,
  neighbours = [],
}: Pick<Context, 'tenants' | 'neighbours'>): { proxy: ProxyHost; serves: Served[] }[] => {
  const all = proxiesIn({ tenants: [...tenants, ...neighbours] })
  const names = new Set(proxiesIn({ tenants }).map(it => it.proxy.name))
  return [...names].map(name => {
    const serves = all.filter(it => it.proxy.name === name)
    serves.sort((a, b) => (a.tenant.tenant < b.tenant.tenant ? -1 : 1))
    return { proxy: serves[0]!.proxy, serves }
  })
}

/** Every proxy with its tenant: in the order of the tenants, a tenant's first one first. */
export const proxiesIn = ({ tenants }: Pick<Context, 'tenants'>): { tenant: Tenant; proxy: ProxyHost }[] =>
  tenants.flatMap(tenant => tenant.egress.proxies.map(proxy => ({ tenant, proxy })))

/** Is the list that a partner keeps for them one and the same? */
export const sharePartner = (a: Tenant, b: Tenant): boolean => {
  const [one, other] = [partnerOf(a), partnerOf(b)]
  return one !== undefined && one === other
}

const partnerOf = ({ rollout: { externalAllowlist: list } }: Tenant): string | undefined =>
  list && JSON.stringify([list.provider, list.network, list.url, list.instance, list.cluster, list.commands?.list])

/** Every zone in which the context wants something, the usual one first. */
export const zonesIn = ({ scaleway, gateway, cluster, tenants }: Context): string[] => {
  const named = [
    gateway.zone,
    ...cluster.pools.map(it => it.zone),
    ...tenants.flatMap(it => [it.pool.zone, ...it.egress.proxies.map(({ zone }) => zone)]),
  ]
  return [...new Set([scaleway.zone, ...named.filter(it => it !== undefined)])]
}
