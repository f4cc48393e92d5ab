import type { Kube } from '../kube.ts'
import { calledAs, isLeaving, isOver, type Pod, type WorkloadRef } from '../workload.ts'
import { kindOf, readRollout } from '../workloads/read.ts'

/** Who has to be moved before an old address may go. `others`: do pods of no such workload count? */
export type Movers = {
  namespace: string
  label: { key: string; value: string }
  workloads: WorkloadRef[]
  others: 'count' | 'ignore'
}

/** `stays`: it does not go by itself. */
export type Unmoved = { what: string; stays: boolean }

/**
 * What still leaves by the old address: workloads whose template is without the label, and pods without it, also those
 * on their way out. A workload without pods counts: its next pod would leave the old way.
 */
export const leavingTheOldWay = async (kube: Kube, movers: Movers): Promise<Unmoved[]> => {
  const { namespace, label, workloads, others } = movers
  const isMoved = (labels: Record<string, string> | undefined) => labels?.[label.key] === label.value
  const known = await Promise.all(
    workloads.map(async ref => {
      const rollout = await readRollout(kube, { namespace, ...ref })
      if (!rollout) return { pods: [], unmoved: [] }
      const stays = !kindOf(ref).fixed && !isMoved(rollout.template.metadata?.labels)
      return {
        pods: [...rollout.current, ...rollout.old].map(it => it.metadata.uid),
        unmoved: stays ? [{ what: calledAs(ref), stays: true }] : [],
      }
    }),
  )
  const { items } = await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace })
  const ours = new Set(known.flatMap(it => it.pods))
  const pods = items
    .filter(it => !isOver(it) && !isMoved(it.metadata.labels))
    .filter(it => others === 'count' || ours.has(it.metadata.uid))
    .map(it => ({ what: `pod ${it.metadata.name}`, stays: !ours.has(it.metadata.uid) && !isLeaving(it) }))
  return [...known.flatMap(it => it.unmoved), ...pods]
}
