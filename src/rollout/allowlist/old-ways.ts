import { setTimeout as delay } from 'node:timers/promises'
import type { Report } from '../../engine/kind.ts'
import type { Kube } from '../kube/kube.ts'
import { PROBE_LABEL } from '../probe-pod.ts'
import { isHealthLoop } from '../proxy-service.ts'
import { calledAs, isLeaving, isOver, type Pod, type WorkloadRef } from '../workload.ts'
import { kindOf, readRollout } from '../workloads/read.ts'

/** Pods with the label leave by the proxy. */
export type Moved = { namespace: string; label: { key: string; value: string } }

/** Who has to be moved before an old address may go. `others`: do pods of no such workload count? */
export type Mover = Moved & { workloads: WorkloadRef[]; others: 'count' | 'ignore' }

/** `stays`: it does not go by itself. */
type Leaving = { what: string; stays: boolean }

/** Pods on their way out get so long. */
const LEAVING_MS = 60_000

/**
 * What still leaves by the old address: workloads whose template is without the label, and pods without it, also those
 * on their way out. A workload without pods counts: its next pod would leave the old way.
 */
export const leavingTheOldWay = async (kube: Kube, movers: readonly Mover[]): Promise<Leaving[]> =>
  (await Promise.all(movers.map(it => unmovedOf(kube, it)))).flat()

const unmovedOf = async (kube: Kube, { namespace, label, workloads, others }: Mover): Promise<Leaving[]> => {
  const known = await Promise.all(
    workloads.map(async ref => {
      const rollout = await readRollout(kube, { namespace, ...ref })
      if (!rollout) return { pods: [], unmoved: [] }
      const stays = !kindOf(ref).fixed && rollout.template.metadata?.labels?.[label.key] !== label.value
      return {
        pods: [...rollout.current, ...rollout.old].map(it => it.metadata.uid),
        unmoved: stays ? [{ what: `${calledAs(ref)} of ${namespace}`, stays: true }] : [],
      }
    }),
  )
  const ours = new Set(known.flatMap(it => it.pods))
  const pods = (await podsIn(kube, namespace))
    .filter(it => it.metadata.labels?.[label.key] !== label.value)
    .filter(it => others === 'count' || ours.has(it.metadata.uid))
    .map(it => ({ what: nameOf(it), stays: !ours.has(it.metadata.uid) && !isLeaving(it) }))
  return [...known.flatMap(it => it.unmoved), ...pods]
}

/** Pods that leave by the new address. */
export const leavingTheNewWay = async (kube: Kube, moved: readonly Moved[]): Promise<Leaving[]> => {
  const all = await Promise.all(
    moved.map(async ({ namespace, label }) =>
      (await podsIn(kube, namespace)).filter(it => it.metadata.labels?.[label.key] === label.value),
    ),
  )
  return all.flat().map(it => ({ what: nameOf(it), stays: !isLeaving(it) }))
}

/** Pods of our own call no partner. */
export const callsOut = (pod: Pod): boolean =>
  !isOver(pod) && pod.metadata.labels?.[PROBE_LABEL] === undefined && !isHealthLoop(pod)

const podsIn = async (kube: Kube, namespace: string): Promise<Pod[]> =>
  (await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace })).items.filter(callsOut)

const nameOf = ({ metadata: { name, namespace } }: Pod) => `pod ${name} of ${namespace}`

/** Waits for those that go by themselves; gives what is left. */
export const untilGone = async (
  look: () => Promise<Leaving[]>,
  { waiting, signal }: Pick<Report, 'waiting' | 'signal'>,
): Promise<Leaving[]> => {
  const began = performance.now()
  for (;;) {
    const left = await look()
    if (left.length === 0 || left.some(it => it.stays) || performance.now() - began > LEAVING_MS) return left
    waiting(`${left[0]!.what} is on its way out`)
    await delay(500, undefined, { signal })
  }
}
