import type { Metadata } from '../kube/object.ts'
import { whyNot } from '../pod-trouble.ts'
import { isReady, type Pod } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'
import { own } from './own.ts'

type Revision = { metadata: Metadata; revision: number }

const HASH = 'controller-revision-hash'

/** A pod on each node. Pods are told apart by the newest of its ControllerRevisions. */
export const daemonSet: WorkloadKind = {
  apiVersion: 'apps/v1',
  templateAt: ['spec', 'template'],
  async pods(kube, workload) {
    const [revisions, ours] = await Promise.all([
      own<Revision>(kube, workload, { apiVersion: 'apps/v1', kind: 'ControllerRevision' }),
      own(kube, workload),
    ])
    const newest = revisions.sort((a, b) => b.revision - a.revision)[0]
    const hash = newest?.metadata.labels?.[HASH]
    const isNew = (it: Pod) => hash !== undefined && it.metadata.labels?.[HASH] === hash
    return { current: ours.filter(isNew), old: ours.filter(it => !isNew(it)) }
  },
  progress({ spec, status = {} }, { current }) {
    if (spec.updateStrategy?.type === 'OnDelete') return null
    const wanted = status.desiredNumberScheduled ?? 0
    const parts = [
      { what: 'new pods', have: status.updatedNumberScheduled ?? 0 },
      { what: 'ready pods', have: current.filter(isReady).length },
      { what: 'available pods', have: status.numberAvailable ?? 0 },
    ]
    const short = parts.find(it => it.have < wanted)
    return short ? { state: 'waiting', what: `${short.have}/${wanted} ${short.what}${whyNot(current)}` } : null
  },
  settled: ({ spec, status = {} }) =>
    spec.updateStrategy?.type === 'OnDelete' ||
    (status.updatedNumberScheduled ?? 0) >= (status.desiredNumberScheduled ?? 0),
  kept: ({ metadata: { namespace }, spec }, old) =>
    spec.updateStrategy?.type === 'OnDelete' && old[0]
      ? { pods: old, renew: `kubectl -n ${namespace} delete pod ${old[0].metadata.name}` }
      : null,
  isOne: (pod, name) => ownedByOne(pod, 'DaemonSet', it => it === name),
}
