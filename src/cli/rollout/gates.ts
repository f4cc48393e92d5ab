import type { Moved } from '../../../playbooks/rollout.ts'
import { proxyOf, wayOf } from '../../../playbooks/rollout.ts'
import { isGateway, type Tenant } from '../../inventory/context.ts'
import type { OurGate } from '../../rollout/gates/all.ts'
import { judge, type Memory } from '../../rollout/gates/gate.ts'
import type { Verdict } from '../../rollout/gates/measure.ts'
import { untilKnown } from '../../rollout/gates/patience.ts'
import type { Subject } from '../../rollout/gates/subject.ts'
import { createHere } from '../../rollout/here.ts'
import { EGRESS_LABEL } from '../../rollout/manifests.ts'
import { createProbes } from '../../rollout/probe.ts'
import { createProber, sweepProbes } from '../../rollout/probe-pod.ts'
import { calledAs } from '../../rollout/workload.ts'
import { kindOf } from '../../rollout/workloads/read.ts'
import { kubeconfigOf, kubeOf, liveOf } from '../kube-of.ts'
import { logsOf } from '../logs.ts'
import type { Staged } from '../staged.ts'

/** `dryRun`: it guards nothing, whatever it says. `note`: what one should know who reads the verdict. */
export type GateResult = {
  tenant: string
  workload: string
  gate: string
  verdict: Verdict
  dryRun?: true
  note?: string
}

/** What is told while gates are asked. `onPause`: asked again within the tenant's patience; absent: asked once. */
export type Telling = {
  onResult: (result: GateResult) => void
  onPause?: (paused: { tenant: string; workload: string; gate: string; reason: string; leftMs: number }) => void
}

/** As it is told to who watches. */
export const lineOf = ({ tenant, workload, gate, verdict, dryRun, note }: GateResult): string =>
  `${tenant}/${workload}: ${gate}: ${verdict.verdict}${dryRun ? ' (dry run)' : ''}${note ? `; ${note}` : ''}`

/**
 * What is known of a workload from earlier: before its move, and from the gates before a soak. `enough`: nobody needs
 * the rest of its answers.
 */
export type Known = {
  restartsBefore?: Record<string, number> | undefined
  memories?: Map<string, Memory>
  enough?: AbortSignal
}

/** Asks about several workloads at once. The first failure is enough: what is to be taken back waits for no other gate. */
export const sideBySide = async (asks: ((enough: AbortSignal) => Promise<GateResult[]>)[]): Promise<GateResult[]> => {
  const enough = new AbortController()
  const all = await Promise.all(
    asks.map(async ask => {
      const results = await ask(enough.signal)
      if (results.some(it => !isHeld(it) && it.verdict.verdict === 'fail')) enough.abort()
      return results
    }),
  )
  return all.flat()
}

export const isHeld = ({ verdict, dryRun }: GateResult): boolean => dryRun === true || verdict.verdict === 'pass'

export { kubeconfigOf, kubeOf, liveOf } from '../kube-of.ts'

export const subjectOf = (staged: Staged, { tenant, workload }: Moved): Subject => {
  const { verify, cluster } = staged.session.context
  const fixed = publicIpsOf(staged, tenant)
  const { prove } = tenant.rollout.externalAllowlist ?? {}
  return {
    tenant: tenant.tenant,
    namespace: tenant.namespace,
    workload,
    proxy: proxyOf(tenant),
    proxies: isGateway(tenant)
      ? [{ ...proxyOf(tenant), publicIp: fixed[0] ?? '' }]
      : tenant.egress.proxies.map((it, at) => ({
          address: it.privateIp,
          port: it.port,
          ...(tenant.egress.clientCertificates && { certificates: true }),
          publicIp: fixed[at] ?? '',
        })),
    ...(isGateway(tenant) && { onlyMoved: true }),
    echo: verify.echo,
    forbidden: verify.forbidden,
    allowed: tenant.verify?.allowed ?? [],
    inside: [cluster.podCidr, cluster.serviceCidr],
    ...(prove !== undefined && { prove }),
  }
}

/** The fixed addresses of a tenant, in the order of its proxies; '' where one is not there yet. Pods leave as their nodes. */
export const publicIpsOf = (staged: Staged, { egress: { proxies, gateway } }: Tenant): string[] =>
  gateway
    ? [gateway.publicIp ?? String(liveOf(staged, staged.site.ids.gatewayIp)?.address ?? '')]
    : proxies.map(
        ({ name, flexibleIp = name, existing }) =>
          existing?.publicIp ?? String(liveOf(staged, `flexible-ip/${flexibleIp}`)?.address ?? ''),
      )

/** A Job that was started is left to finish: it leaves by the old way, and nobody asks about it. */
export const staysAsItIs = ({ workload }: Moved): boolean => kindOf(workload).fixed === true

/** Asks the gates one after the other about one workload; stops at the first that does not pass and guards. */
export const askGates = async (
  staged: Staged,
  move: Moved,
  gates: readonly OurGate[],
  { onResult, onPause }: Telling,
  { restartsBefore, memories = new Map(), enough }: Known = {},
): Promise<GateResult[]> => {
  if (staysAsItIs(move)) return []
  const { session } = staged
  const { abort } = session.world
  const signal = enough ? AbortSignal.any([abort, enough]) : abort
  const stop = enough ? AbortSignal.any([session.world.stop, enough]) : session.world.stop
  const kube = kubeOf(staged)
  const { namespace } = move.tenant
  const prober = createProber(kube, {
    ...{ run: session.run, image: session.context.verify.probeImage, signal },
    onMake(made) {
      session.journal.record({ event: 'note', topic: 'probe-pod', data: { namespace, ...made } })
      session.output.event('probe-pod', { namespace, ...made })
    },
  })
  const here = createHere({ root: session.root, kubeconfig: kubeconfigOf(staged), signal })
  const labels = { [EGRESS_LABEL.key]: EGRESS_LABEL.value }
  const moved = () => ({ labels, ...wayOf(session.context, move.tenant) })
  const [noticed, said] = [new Set<string>(), new Set<string>()]
  const note = (text: string) => void noticed.add(text)
  const noted = () => {
    const fresh = [...noticed].filter(it => !said.has(it))
    for (const it of fresh) said.add(it)
    return fresh.length > 0 ? { note: fresh.join('; ') } : {}
  }
  const probes = createProbes(kube, { ...logsOf(staged, move.tenant, signal), here, signal, prober, moved, note })
  const subject = { ...subjectOf(staged, move), ...(restartsBefore && { restartsBefore }) }
  const { inconclusive: patience } = move.tenant.rollout
  const at = { tenant: subject.tenant, workload: calledAs(subject.workload) }
  const results: GateResult[] = []
  try {
    for (const gate of gates) {
      const memory = memories.get(gate.name) ?? new Map()
      memories.set(gate.name, memory)
      let asked = 0
      const ask = () => judge(gate, subject, probes, { signal, memory, again: asked++ > 0 })
      const told = (reason: string, leftMs: number) => onPause?.({ ...at, gate: gate.name, reason, leftMs })
      const patient = patience && onPause && !gate.dryRun
      const verdict = await (patient ? untilKnown(ask, patience, { stop, onPause: told }) : ask())
      // An interrupted pause is no verdict.
      if (enough?.aborted) break
      const result = { ...at, gate: gate.name, verdict, ...(gate.dryRun && { dryRun: true as const }), ...noted() }
      results.push(result)
      onResult(result)
      if (!isHeld(result)) break
    }
  } catch (thrown) {
    if (!enough?.aborted || abort.aborted || !isAbort(thrown)) throw thrown
  } finally {
    await prober.close()
  }
  return results
}

const isAbort = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'AbortError'

/** Probe pods that a killed run left behind, in the namespaces of these moves. */
export const sweep = async (staged: Staged, moves: readonly Moved[]): Promise<void> => {
  const namespaces = new Set(moves.map(it => it.tenant.namespace))
  await Promise.all([...namespaces].map(it => sweepProbes(kubeOf(staged), it, staged.session.run)))
}
