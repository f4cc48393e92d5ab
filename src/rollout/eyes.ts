import { type Eye, joined } from './kube/follow.ts'
import type { Kube } from './kube/kube.ts'
import { isCrashing } from './pod-trouble.ts'
import { isRolledOut } from './rollout-state.ts'
import { isLeaving, type Pod, statusesOf, type Workload } from './workload.ts'
import { kindOf, type WorkloadAt } from './workloads/read.ts'

/**
 * Eyes on what may end the rollout of a workload: it is seen to be through, or not to get on; a pod of it fails or goes.
 * What pods do while they start is passed over: it would be most of all that is looked at.
 */
export const eyesOn = (kube: Kube, { kind, namespace, name }: WorkloadAt): Eye => {
  const of = kindOf({ kind })
  const pods = kube.follow({ apiVersion: 'v1', kind: 'Pod', namespace }, (it, isGone) => {
    const pod = it as unknown as Pod
    return of.isOne(pod, name) && (kind === 'Pod' || isGone || isLeaving(pod) || fails(pod))
  })
  if (kind === 'Pod') return pods
  const itself = kube.follow({ apiVersion: of.apiVersion, kind, namespace }, (it, isGone) => {
    const workload = it as unknown as Workload
    return it.metadata.name === name && (isGone || isRolledOut({ workload, of }) || isHeldUp(workload))
  })
  return joined([itself, pods])
}

const fails = (pod: Pod): boolean => statusesOf(pod).some(it => it.restartCount > 0 || isCrashing(it, it.restartCount))

const isHeldUp = ({ spec, status }: Workload): boolean =>
  spec.paused === true || status?.conditions?.some(it => it.type === 'Progressing' && it.status === 'False') === true
