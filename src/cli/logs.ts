import { setTimeout as delay } from 'node:timers/promises'
import { resolve } from '../engine/refs.ts'
import type { HostAddress } from '../hosts/address.ts'
import { createAuditLog } from '../hosts/audit-log.ts'
import { auditLog } from '../hosts/squid-conf.ts'
import { isGateway, type Tenant } from '../inventory/context.ts'
import { parseAuditLine } from '../policy/audit-line.ts'
import type { Witnessed } from '../rollout/gates/witness.ts'
import { searchGateway } from '../rollout/gateway-pod/log.ts'
import { gatewayAddress } from '../rollout/gateway-pod/manifests.ts'
import type { Logs } from '../rollout/probe.ts'
import { kubeOf } from './kube-of.ts'
import type { Staged } from './staged.ts'

/** The logs of a tenant's proxies, as a second witness to what a pod saw. */
export const logsOf = (
  staged: Staged,
  tenant: Tenant,
  signal: AbortSignal = staged.session.world.abort,
): Omit<Logs, 'here'> => {
  const { proxies } = tenant.egress
  /** null: not every one could be read, and none has it. */
  const find = async (needle: string, atLeast = 1): Promise<string[] | null> => {
    if (isGateway(tenant)) {
      const search = { needle, atLeast, withinMs: atLeast > 1 ? 5000 : 2000, signal }
      return searchGateway(kubeOf(staged), tenant.tenant, gatewayAddress(tenant.tenant), search)
    }
    const logs = await Promise.all(
      proxies.map(async ({ name }) => {
        const host = hostOf(staged, name)
        if (!host) return null
        const found = searchLog(staged, host, needle, proxies.length === 1 ? atLeast : 1, signal)
        // One proxy that is down keeps nobody from reading the others.
        return proxies.length === 1 ? found : found.catch(() => null)
      }),
    )
    const lines = logs.flatMap(it => it ?? [])
    return lines.length > 0 || logs.every(it => it !== null) ? lines : null
  }
  return {
    auditLog: needle => find(needle),
    async witnessed(mark, atLeast) {
      let lines = await find(mark, atLeast)
      // Several proxies share the requests, nobody knows how: until all together have them, and not for ever.
      for (let n = 0; n < 5 && lines && proxies.length > 1 && lines.length < atLeast; n++) {
        await delay(500, undefined, { signal })
        lines = await find(mark)
      }
      return parsed(lines)
    },
    async seenFrom(clients) {
      const found = await Promise.all(clients.map(it => find(`"client":"${it}"`)))
      return found.every(it => it === null) ? null : parsed(found.flatMap(it => it ?? []))
    },
  }
}

const parsed = (lines: string[] | null): Witnessed[] | null => lines?.flatMap(it => parseAuditLine(it) ?? []) ?? null

/** How a proxy is reached; null: it does not stand yet. */
export const hostOf = ({ plan }: Staged, proxy: string): HostAddress | null => {
  const seen = plan.seen.get(`host-play/${proxy}`)
  if (!seen) return null
  const lives = new Map([...plan.seen].map(([id, it]) => [id, it.live]))
  return (resolve(seen.desired.want, lives).value as { host: HostAddress }).host
}

export const searchLog = (
  { session }: Staged,
  host: HostAddress,
  needle: string,
  atLeast = 1,
  signal: AbortSignal = session.world.abort,
): Promise<string[]> =>
  createAuditLog(session.clients.ssh).find(host, {
    ...{ log: auditLog, needle, withinSeconds: atLeast > 1 ? 5 : 2, atLeast },
    signal,
  })
