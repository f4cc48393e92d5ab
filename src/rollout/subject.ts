/** What a gate asks about: one workload of a tenant, and the way out it should have. */
export type Subject = {
  tenant: string
  namespace: string
  workload: { kind: 'Deployment'; name: string }
  proxy: {
    /** As pods reach it. */
    address: string
    port: number
    /** As the world sees it: the tenant's fixed address. */
    publicIp: string
  }
  /** URLs that answer with the caller's address. */
  echo: string[]
  /** A URL that no allowlist has. */
  forbidden: string
}
