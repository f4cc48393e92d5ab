import type { Loose, Obj } from '../objects/object.ts'
import { now, withCondition } from '../objects/object.ts'
import { bounds } from './rolling.ts'

/** What `kubectl rollout status` reads: counts, Available, Progressing with its deadline. */
export const deploymentStatus = (
  deployment: Obj,
  current: Obj | undefined,
  sets: Obj[],
): { status: Loose; lookAgain: number | undefined } => {
  const { spec, metadata, status: before = {} } = deployment
  const sum = (name: string) => sets.reduce((total, it) => total + (it.status?.[name] ?? 0), 0)
  const count = (n: number) => (n > 0 ? n : undefined)
  const replicas = sum('replicas')
  const available = sum('availableReplicas')
  const updated = current?.status?.replicas ?? 0
  const counts = {
    observedGeneration: metadata.generation,
    replicas: count(replicas),
    updatedReplicas: count(updated),
    readyReplicas: count(sum('readyReplicas')),
    availableReplicas: count(available),
    unavailableReplicas: count(Math.max(0, Math.max(spec.replicas, replicas) - available)),
  }
  const isEnough = available >= spec.replicas - (spec.strategy.type === 'Recreate' ? 0 : bounds(deployment).unavailable)
  const availability = isEnough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  const isComplete = !!current && updated === spec.replicas && replicas === spec.replicas && available === spec.replicas
  const progress = progressing(deployment, current, counts, isComplete)
  const failure = failureIn(current, sets)
  let conditions = before.conditions?.filter((it: Loose) => it.type !== 'ReplicaFailure' || failure)
  for (const it of [availability, progress.condition, ...(failure ? [failure] : [])]) {
    const known = conditions?.find((its: Loose) => its.type === it.type)
    const moved =
      !known ||
      known.status !== it.status ||
      known.reason !== it.reason ||
      (it.type === 'Progressing' && progress.moved)
    conditions = withCondition(conditions, { ...it, lastUpdateTime: moved ? now() : known.lastUpdateTime })
  }
  return { status: { ...counts, conditions }, lookAgain: progress.lookAgain }
}

/** A set that may not make its pods says so on its Deployment: the new one before the old ones. */
const failureIn = (current: Obj | undefined, sets: Obj[]): Loose => {
  const found = [current, ...sets].flatMap(it => it?.status?.conditions ?? [])
  const { lastTransitionTime: _, ...it } = found.find((its: Loose) => its.type === 'ReplicaFailure') ?? {}
  return it.type ? it : undefined
}

const progressing = (
  { spec, metadata, status = {} }: Obj,
  current: Obj | undefined,
  counts: Loose,
  isComplete: boolean,
) => {
  const known = status.conditions?.find((it: Loose) => it.type === 'Progressing')
  const name = current?.metadata.name
  const say = (status: string, reason: string, message: string) => ({ type: 'Progressing', status, reason, message })
  if (spec.paused)
    return { condition: say('Unknown', 'DeploymentPaused', 'Deployment is paused'), moved: false, lookAgain: undefined }
  if (isComplete) {
    const condition = say('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`)
    return { condition, moved: false, lookAgain: undefined }
  }
  const grew = (member: string) => (counts[member] ?? 0) > (status[member] ?? 0)
  const old = (it: Loose) => (it.replicas ?? 0) - (it.updatedReplicas ?? 0)
  const isNew =
    known?.reason === 'NewReplicaSetAvailable' ||
    known?.reason === 'DeploymentPaused' ||
    status.observedGeneration !== metadata.generation
  const moved =
    !known ||
    isNew ||
    grew('updatedReplicas') ||
    grew('readyReplicas') ||
    grew('availableReplicas') ||
    old(counts) < old(status)
  const deadline = (spec.progressDeadlineSeconds ?? 600) * 1000
  const left = moved ? deadline : Date.parse(known.lastUpdateTime) + deadline - Date.now()
  if (left <= 0 || (known?.reason === 'ProgressDeadlineExceeded' && !moved)) {
    const condition = say('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`)
    return { condition, moved: false, lookAgain: undefined }
  }
  return {
    condition: say('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`),
    moved,
    lookAgain: left + 50,
  }
}
