import type { Moved } from '../../playbooks/rollout.ts'
import { proxyOf } from '../../playbooks/rollout.ts'
import type { Ref } from '../engine/desired.ts'
import type { Json } from '../engine/json.ts'
import { resolve } from '../engine/refs.ts'
import type { HostAddress } from '../hosts/address.ts'
import { createAuditLog } from '../hosts/audit-log.ts'
import { auditLog } from '../hosts/squid.ts'
import type { Tenant } from '../inventory/context.ts'
import { type Gate, judge, type Verdict } from '../rollout/gate.ts'
import { createProbes, type Probes } from '../rollout/probe.ts'
import type { Subject } from '../rollout/subject.ts'
import type { Staged } from './staged.ts'

export type GateResult = { tenant: string; workload: string; gate: string; verdict: Verdict }

/** What is live of a Desired that has been made or seen; null: not there. */
export const liveOf = ({ plan }: Staged, id: string): Record<string, Json> | null =>
  (plan.seen.get(id)?.live ?? null) as Record<string, Json> | null

export const kubeOf = (staged: Staged) => {
  const { session, site } = staged
  const path = session.context.cluster.kubeconfig ?? liveOf(staged, site.ids.kubeconfig)?.path
  return session.clients.kube(String(path))
}

export const subjectOf = (staged: Staged, { tenant, workload }: Moved): Subject => {
  const { verify } = staged.session.context
  return {
    tenant: tenant.tenant,
    namespace: tenant.namespace,
    workload,
    proxy: { ...proxyOf(tenant), publicIp: publicIpOf(staged, tenant) },
    echo: verify.echo,
    forbidden: verify.forbidden,
  }
}

export const publicIpOf = (staged: Staged, { egress }: Tenant): string =>
  egress.proxy.existing?.publicIp ?? String(liveOf(staged, `flexible-ip/${egress.proxy.name}`)?.address ?? '')

/** Asks the gates one after the other about one workload; stops at the first that does not pass. */
export const askGates = async (
  staged: Staged,
  move: Moved,
  gates: readonly Gate<Subject, Probes>[],
  onResult: (result: GateResult) => void,
): Promise<GateResult[]> => {
  const { session } = staged
  const signal = session.world.abort
  const probes = createProbes(kubeOf(staged), { auditLog: witness(staged, move.tenant), signal })
  const subject = subjectOf(staged, move)
  const results: GateResult[] = []
  for (const gate of gates) {
    const verdict = await judge(gate, subject, probes, { signal })
    const result = { tenant: subject.tenant, workload: subject.workload.name, gate: gate.name, verdict }
    results.push(result)
    onResult(result)
    if (verdict.verdict !== 'pass') break
  }
  return results
}

/** The proxy's own log, as a second witness to what a pod saw. */
const witness =
  (staged: Staged, { egress }: Tenant) =>
  async (needle: string) => {
    const seen = staged.plan.seen.get(`host-play/${egress.proxy.name}`)
    if (!seen) return null
    const lives = new Map([...staged.plan.seen].map(([id, it]) => [id, it.live]))
    const { host } = resolve(seen.desired.want, lives).value as { host: HostAddress | Ref }
    const search = { log: auditLog, needle, withinSeconds: 2, signal: staged.session.world.abort }
    return createAuditLog(staged.session.clients.ssh).find(host as HostAddress, search)
  }
