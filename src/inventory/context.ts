import type { ContextFile, TenantFile } from './schema.ts'

/** A tenant with all defaults filled in. */
export type Tenant = Omit<TenantFile, 'workloads'> & { workloads: NonNullable<TenantFile['workloads']> }

/** One environment, validated and frozen. Paths are absolute. */
export type Context = Omit<ContextFile, 'prepare'> & { prepare: string[][]; tenants: Tenant[] }
