import type { ContextFile, TenantFile } from './schema.ts'

/** A tenant with all defaults filled in. */
export type Tenant = Omit<TenantFile, 'workloads'> & { workloads: NonNullable<TenantFile['workloads']> }

/** One environment, validated and frozen. Paths are absolute. */
export type Context = Omit<ContextFile, 'verify'> & {
  verify: { echo: string[]; forbidden: string }
  tenants: Tenant[]
}

/** What the inventory asks for and this version leaves to a person. */
export const byHand = ({ tenants }: Context): string[] =>
  tenants.flatMap(({ tenant, rollout: { externalAllowlist } }) =>
    externalAllowlist
      ? [`${tenant}: ${externalAllowlist.provider} is not told the new address (not built yet): do that by hand`]
      : [],
  )
