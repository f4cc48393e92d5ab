import { type ContainerStatus, isLeaving, isReady, type Pod, type Rollout, statusesOf } from './workload.ts'

/** How far a rollout is. `crashed` and `stuck` do not get better by waiting. */
export type RolloutState =
  | { state: 'done' }
  | { state: 'waiting'; what: string }
  | { state: 'crashed'; pod: string; container: string; exitCode: number | null; restarts: number; reason: string }
  | { state: 'stuck'; why: string }

/** Restarts by `pod/container` before the change: what happened earlier is not this rollout's doing. */
export type Baseline = ReadonlyMap<string, number>

export const baselineOf = ({ current, old }: Pick<Rollout, 'current' | 'old'>): Baseline =>
  new Map([...current, ...old].flatMap(pod => statusesOf(pod).map(it => [keyOf(pod, it), it.restartCount] as const)))

/** Judges only pods of the new template: those of the old one are going anyway. */
export const rolloutState = ({ deployment, current, old }: Rollout, baseline: Baseline): RolloutState => {
  const { metadata, spec, status = {} } = deployment
  if (spec.paused) return { state: 'stuck', why: 'the Deployment is paused' }
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    return { state: 'waiting', what: 'the controller has not seen the change yet' }
  }
  for (const pod of current) {
    if (isLeaving(pod)) continue
    const crashed = statusesOf(pod).find(it => isCrashing(it, it.restartCount - (baseline.get(keyOf(pod, it)) ?? 0)))
    if (crashed) return { state: 'crashed', pod: pod.metadata.name, ...crash(crashed) }
  }
  const progressing = status.conditions?.find(it => it.type === 'Progressing')
  if (progressing?.status === 'False' && progressing.reason === 'ProgressDeadlineExceeded') {
    return { state: 'stuck', why: progressing.message ?? 'the progress deadline has passed' }
  }
  const wanted = spec.replicas ?? 1
  const parts = [
    { what: 'new pods', have: status.updatedReplicas ?? 0 },
    { what: 'ready pods', have: Math.min(status.readyReplicas ?? 0, current.filter(isReady).length) },
    { what: 'available pods', have: status.availableReplicas ?? 0 },
  ]
  const short = parts.find(it => it.have < wanted)
  if (short) return { state: 'waiting', what: `${short.have}/${wanted} ${short.what}${whyNot(current)}` }
  const left = Math.max(old.length, (status.replicas ?? 0) - wanted)
  return left > 0 ? { state: 'waiting', what: `${left} old pods are still there` } : { state: 'done' }
}

/** The template has reached every replica and no pod of an earlier one counts. Says nothing about health. */
export const isRolledOut = ({ deployment: { metadata, spec, status = {} } }: Pick<Rollout, 'deployment'>): boolean =>
  (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
  (status.updatedReplicas ?? 0) === (spec.replicas ?? 1) &&
  (status.replicas ?? 0) === (status.updatedReplicas ?? 0)

export const keyOf = (pod: Pod, status: ContainerStatus): string => `${pod.metadata.name}/${status.name}`

/** The first restart may be bad luck (a dependency that was slow); the second is a pattern. */
export const isCrashing = (status: ContainerStatus, restarts: number): boolean =>
  restarts >= 2 || status.state?.waiting?.reason === 'CrashLoopBackOff'

export const crash = ({ name, restartCount, state, lastState }: ContainerStatus) => {
  const ended = state?.terminated ?? lastState?.terminated
  return {
    container: name,
    exitCode: ended?.exitCode ?? null,
    restarts: restartCount,
    reason: state?.waiting?.reason ?? ended?.reason ?? 'it keeps restarting',
  }
}

/** What the first pod that is not ready is waiting for. */
const whyNot = (pods: Pod[]): string => {
  const pod = pods.find(it => !isReady(it))
  if (!pod) return ''
  const reason = statusesOf(pod).find(it => it.state?.waiting?.reason)?.state?.waiting?.reason
  const unplaced = pod.status?.conditions?.find(it => it.type === 'PodScheduled' && it.status === 'False')
  const why = reason ?? unplaced?.message ?? pod.status?.phase ?? 'starting'
  return ` (${pod.metadata.name}: ${why})`
}
