import { Problem } from '../engine/problem.ts'
import { type Kube, MANAGER } from './kube/kube.ts'
import { type KubeObject, showId } from './kube/object.ts'
import { isGone } from './kube/problem.ts'

/** Deleting a namespace deletes what is in it. Throws a Problem when any of that is not ours. */
export const refuseOthersWork = async (kube: Kube, namespace: string): Promise<void> => {
  const found = await Promise.all(KINDS.map(kind => listed(kube, { ...kind, namespace })))
  const others = found
    .flat()
    .filter(it => it.metadata.labels?.[MANAGED_BY] !== MANAGER && !it.metadata.deletionTimestamp)
    .filter(it => !it.metadata.ownerReferences?.length)
  if (others.length === 0) return
  throw new Problem(`namespace ${namespace} was not deleted`, {
    why: `it holds what others made: ${others
      .slice(0, 5)
      .map(it => showId({ kind: it.kind, name: it.metadata.name }))
      .join(', ')}`,
    next: 'move or delete these, then run again',
  })
}

export const MANAGED_BY = 'app.kubernetes.io/managed-by'

const KINDS = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
]

const listed = async (kube: Kube, what: { apiVersion: string; kind: string; namespace: string }) => {
  try {
    return (await kube.list<KubeObject>(what)).items
  } catch (thrown) {
    if (isGone(thrown)) return [] // a cluster without that kind
    throw thrown
  }
}
