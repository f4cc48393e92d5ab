import type { Metadata } from '../kube/object.ts'
import { whyNot } from '../pod-trouble.ts'
import { isReady, ownedBy, type Pod, type Pods, type Workload } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'
import { near } from './own.ts'

export type ReplicaSet = { apiVersion: string; kind: string; metadata: Metadata }

/** Pods are told apart by their ReplicaSets: one that lost a label of ours is still found. */
export const deployment: WorkloadKind = {
  apiVersion: 'apps/v1',
  templateAt: ['spec', 'template'],
  async pods(kube, workload) {
    const [sets, pods] = await Promise.all([
      near<ReplicaSet>(kube, workload, { apiVersion: 'apps/v1', kind: 'ReplicaSet' }),
      near(kube, workload),
    ])
    return sortPods(workload, sets, pods)
  },
  progress({ spec, status = {} }, { current, old }) {
    const progressing = status.conditions?.find(it => it.type === 'Progressing')
    if (progressing?.status === 'False' && progressing.reason === 'ProgressDeadlineExceeded')
      return { state: 'stuck', why: progressing.message ?? 'the progress deadline has passed' }
    const wanted = spec.replicas ?? 1
    const parts = [
      { what: 'new pods', have: status.updatedReplicas ?? 0 },
      { what: 'ready pods', have: Math.min(status.readyReplicas ?? 0, current.filter(isReady).length) },
      { what: 'available pods', have: status.availableReplicas ?? 0 },
    ]
    const short = parts.find(it => it.have < wanted)
    if (short) return { state: 'waiting', what: `${short.have}/${wanted} ${short.what}${whyNot(current)}` }
    const left = Math.max(old.length, (status.replicas ?? 0) - wanted)
    return left > 0 ? { state: 'waiting', what: `${left} old pods are still there` } : null
  },
  settled: ({ spec, status = {} }) =>
    (status.updatedReplicas ?? 0) === (spec.replicas ?? 1) && (status.replicas ?? 0) === (status.updatedReplicas ?? 0),
  isOne: (pod, name) => ownedByOne(pod, 'ReplicaSet', it => it.startsWith(`${name}-`)),
  refuses: ({ metadata: { namespace, name }, spec }) =>
    spec.paused
      ? {
          why: 'its rollout is paused by somebody, and what they wait for is not known here',
          next: `kubectl -n ${namespace} rollout resume deployment/${name}, then run again`,
        }
      : null,
}

export const sortPods = (workload: Workload, sets: ReplicaSet[], pods: Pod[]): Pods => {
  const ours = sets.filter(set => ownedBy(set.metadata, workload.metadata.uid))
  const revision = workload.metadata.annotations?.[REVISION]
  const now = ours.find(set => revision !== undefined && set.metadata.annotations?.[REVISION] === revision)
  const current = pods.filter(pod => now && ownedBy(pod.metadata, now.metadata.uid))
  const old = pods.filter(pod => ours.some(set => set !== now && ownedBy(pod.metadata, set.metadata.uid)))
  return { current, old }
}

const REVISION = 'deployment.kubernetes.io/revision'
