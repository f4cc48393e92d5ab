import { type ContainerStatus, isReady, type Pod, statusesOf } from './workload.ts'

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

/** Why a pod that is not ready keeps crashing; null: it does not. */
export const crashing = (pod: Pod): string | null => {
  if (isReady(pod)) return null
  const status = statusesOf(pod).find(it => isCrashing(it, it.restartCount))
  return status ? crash(status).reason : null
}

/** What the first pod that is not ready is waiting for: ` (pod: reason)`, or nothing. */
export const whyNot = (pods: Pod[]): string => {
  const pod = pods.find(it => !isReady(it))
  if (!pod) return ''
  const reason = statusesOf(pod).find(it => it.state?.waiting?.reason)?.state?.waiting?.reason
  const unplaced = pod.status?.conditions?.find(it => it.type === 'PodScheduled' && it.status === 'False')
  const why = reason ?? unplaced?.message ?? pod.status?.phase ?? 'starting'
  return ` (${pod.metadata.name}: ${why})`
}
