import { crash, isCrashing, keyOf } from './pod-trouble.ts'
import { isLeaving, type Pods, statusesOf, type Workload } from './workload.ts'
import type { Rollout } from './workloads/read.ts'

/** How far a rollout is. `crashed` and `stuck` do not get better by waiting. */
export type RolloutState =
  | { state: 'done' }
  | { state: 'waiting'; what: string }
  | { state: 'crashed'; pod: string; container: string; exitCode: number | null; restarts: number; reason: string }
  | { state: 'stuck'; why: string }

/** Restarts by `pod/container` before the change: what happened earlier is not this rollout's doing. */
export type Baseline = ReadonlyMap<string, number>

export const baselineOf = ({ current, old }: Pods): Baseline =>
  new Map([...current, ...old].flatMap(pod => statusesOf(pod).map(it => [keyOf(pod, it), it.restartCount] as const)))

/** Judges only pods of the new template: those of the old one are going anyway. */
export const rolloutState = (
  { workload, of, current, old }: Omit<Rollout, 'template'>,
  baseline: Baseline,
): RolloutState => {
  if (workload.spec.paused) return { state: 'stuck', why: `the ${workload.kind} is paused` }
  if (!isObserved(workload)) return { state: 'waiting', what: 'the controller has not seen the change yet' }
  for (const pod of current) {
    if (isLeaving(pod)) continue
    const crashed = statusesOf(pod).find(it => isCrashing(it, it.restartCount - (baseline.get(keyOf(pod, it)) ?? 0)))
    if (crashed) return { state: 'crashed', pod: pod.metadata.name, ...crash(crashed) }
  }
  return of.progress(workload, { current, old }) ?? { state: 'done' }
}

/** The template has reached all that it will reach by itself. Says nothing about health. */
export const isRolledOut = ({ workload, of }: Pick<Rollout, 'workload' | 'of'>): boolean =>
  isObserved(workload) && of.settled(workload)

/** Pods and CronJobs have no controller that says how far it has read. */
const isObserved = ({ kind, metadata, status = {} }: Workload): boolean =>
  !['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind) ||
  (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
