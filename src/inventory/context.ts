import type { Machine } from './ansible/login.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'

/** A tenant with all defaults filled in. */
export type Tenant = Omit<TenantFile, 'workloads'> & {
  workloads: NonNullable<TenantFile['workloads']>
  /** Its proxy, where that exists already. */
  machine?: Machine
}

/** One environment, validated and frozen. Paths are absolute. */
export type Context = Omit<ContextFile, 'verify' | 'network' | 'cluster'> & {
  network: ContextFile['network'] & { privateNetwork: { name: string } }
  cluster: ContextFile['cluster'] & { name: string }
  verify: { echo: string[]; forbidden: string }
  tenants: Tenant[]
}

/** Every zone in which the context wants something, the usual one first. */
export const zonesIn = ({ scaleway, gateway, cluster, tenants }: Context): string[] => {
  const named = [
    gateway.zone,
    ...cluster.pools.map(it => it.zone),
    ...tenants.flatMap(it => [it.pool.zone, it.egress.proxy.zone]),
  ]
  return [...new Set([scaleway.zone, ...named.filter(it => it !== undefined)])]
}

/** What the inventory asks for and this version leaves to a person. */
export const byHand = ({ tenants }: Context): string[] =>
  tenants.flatMap(({ tenant, rollout: { externalAllowlist } }) =>
    externalAllowlist
      ? [`${tenant}: ${externalAllowlist.provider} is not told the new address (not built yet): do that by hand`]
      : [],
  )
