import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RolloutPhase } from '../../../playbooks/rollout.ts'
import type { Recorded } from '../../engine/journal.ts'
import type { Context } from '../../inventory/context.ts'
import { narrowTable } from '../../report/table.ts'
import { keptPods, keptText } from '../../rollout/kept-pods.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import { type LeaseObject, leaseOf } from '../../rollout/kube/lease.ts'
import { EGRESS_LABEL } from '../../rollout/manifests.ts'
import { type Course, courseOf } from '../../rollout/requests.ts'
import { rolloutState } from '../../rollout/rollout-state.ts'
import { calledAs, isLeaving, isReady } from '../../rollout/workload.ts'
import { type Rollout, readRollout } from '../../rollout/workloads/read.ts'
import type { Session } from '../session.ts'
import { verifiedIn } from './unverified.ts'

/** A Job that was started: it stays as it is, whatever phase it is listed in. */
export const PASSED_OVER = 'passed over'

/** One workload as it is now. `pods`: of the template that it has; `verdict` and gates are known where the journal is. */
type WorkloadNow = {
  tenant: string
  workload: string
  phase: string
  state: 'not there' | 'start' | 'moving' | 'moved' | 'proved' | typeof PASSED_OVER
  pods: { ready: number; all: number; old: number }
  verdict: string | null
  waitsFor: string | null
}

/** Who changes the cluster for this context, and how far a rollout of it is. Null: nobody. */
export type RunNow = ({ holder: string; since: string; lease: LeaseObject['spec'] } & Partial<Course>) | null

export type View = { run: RunNow; workloads: WorkloadNow[] }

const WIDTH = 8

/** The cluster of a context as far as this machine knows it. */
export const clusterOf = ({ context, state, clients }: Session): Kube | undefined => {
  const path = context.cluster.kubeconfig ?? join(state, 'kubeconfig')
  return existsSync(path) ? clients.kube(path) : undefined
}

/** Looks at every workload of a rollout, some at a time. */
export const lookAtWorkloads = async (
  kube: Kube,
  phases: readonly RolloutPhase[],
  history: readonly Recorded[],
): Promise<WorkloadNow[]> => {
  const todo = phases.flatMap(phase => phase.moves.map((move, at) => ({ phase, move, id: phase.desired[at]!.id })))
  const verdicts = lastVerdicts(
    history,
    new Map(todo.map(({ move, id }) => [id, `${move.tenant.tenant}/${calledAs(move.workload)}`])),
  )
  const isVerified = verifiedIn(history)
  const workloads: WorkloadNow[] = []
  let next = 0
  const worker = async () => {
    for (let at = next++; at < todo.length; at = next++) {
      const { phase, move, id } = todo[at]!
      const { tenant, namespace } = move.tenant
      const rollout = await readRollout(kube, { namespace, ...move.workload })
      const workload = calledAs(move.workload)
      workloads[at] = {
        ...{ tenant, workload, phase: phase.name },
        ...stateOf(rollout, isVerified(id, tenant)),
        verdict: verdicts.get(`${tenant}/${workload}`) ?? null,
      }
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
  return workloads
}

/** How far one workload is, by what its template says and which pods it has. */
export const stateOf = (rollout: Rollout | null, proved: boolean): Pick<WorkloadNow, 'state' | 'pods' | 'waitsFor'> => {
  if (!rollout) return { state: 'not there', pods: { ready: 0, all: 0, old: 0 }, waitsFor: 'somebody to deploy it' }
  const current = rollout.current.filter(it => !isLeaving(it))
  const pods = { ready: current.filter(isReady).length, all: current.length, old: rollout.old.length }
  if (rollout.of.fixed) return { state: PASSED_OVER, pods, waitsFor: null }
  const labelled = rollout.template.metadata?.labels?.[EGRESS_LABEL.key] !== undefined
  const now = rolloutState(rollout, new Map())
  const kept = labelled ? keptPods(rollout) : null
  const waitsFor =
    now.state === 'waiting'
      ? now.what
      : now.state === 'stuck'
        ? now.why
        : now.state === 'crashed'
          ? `pod ${now.pod}: ${now.container} restarted ${now.restarts} times`
          : kept
            ? `${keptText(kept)}: ${kept.renew}`
            : labelled && !proved
              ? 'its gates'
              : null
  if (now.state !== 'done') return { state: labelled ? 'moving' : 'start', pods, waitsFor }
  return { state: labelled ? (proved ? 'proved' : 'moved') : 'start', pods, waitsFor }
}

export const lookAtRun = async (kube: Kube, { context }: Context): Promise<RunNow> => {
  const lease = await kube.get<LeaseObject>(leaseOf(context)).catch(() => null)
  const { holderIdentity: holder, acquireTime = '' } = lease?.spec ?? {}
  if (!lease || !holder) return null
  return { holder, since: acquireTime, lease: lease.spec, ...courseOf(lease) }
}

/** By `tenant/workload`, of its last move that was not taken back. `names`: by the id of its step. */
const lastVerdicts = (history: readonly Recorded[], names: ReadonlyMap<string, string>): Map<string, string> => {
  const last = new Map<string, string>()
  for (const it of history) {
    if (it.event === 'undone') last.delete(names.get(it.step) ?? '')
    if (it.event !== 'note' || it.topic !== 'gate') continue
    const { tenant, workload, gate, verdict } = it.data as unknown as Gate
    last.set(`${tenant}/${workload}`, `${gate}: ${verdict.verdict}`)
  }
  return last
}

type Gate = { tenant: string; workload: string; gate: string; verdict: { verdict: string } }

/** A time without parts of a second: a Lease has six digits of them. */
const second = (time: string) => time.replace(/\.\d+Z$/, 'Z')

/** One line on who is at it. */
export const runLine = (run: RunNow, dead = false): string => {
  if (!run) return 'no run is under way'
  const who = `${run.holder}, since ${second(run.since)}`
  if (dead)
    return `${who}: it no longer renews its Lease, so it is dead; deploy.mjs --resume goes on, --abort takes back`
  if (run.paused) return `${who}: paused by ${run.paused.by} since ${second(run.paused.since)}: ${run.paused.why}`
  return `${who}${run.phase ? `: phase ${run.phase}` : ''}`
}

export const viewTable = (workloads: readonly WorkloadNow[]): string =>
  narrowTable(
    ['tenant', 'workload', 'phase', 'state', 'ready', 'old', 'waits for', 'last verdict'],
    workloads.map(it => [
      ...[it.tenant, it.workload, it.phase, it.state, `${it.pods.ready}/${it.pods.all}`, String(it.pods.old)],
      ...[it.waitsFor ?? '-', it.verdict ?? '-'],
    ]),
  )
