import type { ProxyAt } from '../no-proxy.ts'
import type { WorkloadRef } from '../workload.ts'

/** What a gate asks about: one workload of a tenant, and the way out it should have. */
export type Subject = {
  tenant: string
  namespace: string
  workload: WorkloadRef
  /** As pods reach it: the only proxy, or the Service before several. */
  proxy: ProxyAt
  /** Each proxy alone, and how the world sees what leaves by it: one of the tenant's fixed addresses. */
  proxies: (ProxyAt & { publicIp: string })[]
  /** A NetworkPolicy lets in moved pods alone: nobody else can try whether it answers. */
  onlyMoved?: boolean
  /** URLs that answer with the caller's address. */
  echo: string[]
  /** URLs that the tenant names as allowed, to see them answer. */
  allowed: string[]
  /** The partner that has to let it in: `host:port`, or an https URL. Absent: nobody is asked. */
  prove?: string
  /** What pods reach without the proxy: ranges of pods and Services. */
  inside: string[]
  /** Restarts by `pod/container` before the workload moved; absent: not known. */
  restartsBefore?: Record<string, number>
  /** A URL that no allowlist has. */
  forbidden: string
}
