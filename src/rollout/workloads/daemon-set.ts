import type { Metadata } from '../object.ts'
import { whyNot } from '../pod-trouble.ts'
import { isReady, ownedBy, type Pod, queryOf } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'

type Revision = { metadata: Metadata; revision: number }

const HASH = 'controller-revision-hash'

/** A pod on each node. Pods are told apart by the newest of its ControllerRevisions. */
export const daemonSet: WorkloadKind = {
  apiVersion: 'apps/v1',
  templateAt: ['spec', 'template'],
  async pods(kube, { metadata: { namespace, uid }, spec }) {
    const where = { ...(namespace && { namespace }), labelSelector: queryOf(spec.selector) }
    const [revisions, pods] = await Promise.all([
      kube.list<Revision>({ apiVersion: 'apps/v1', kind: 'ControllerRevision', ...where }),
      kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', ...where }),
    ])
    const mine = revisions.items.filter(it => ownedBy(it.metadata, uid)).sort((a, b) => b.revision - a.revision)
    const hash = mine[0]?.metadata.labels?.[HASH]
    const ours = pods.items.filter(it => ownedBy(it.metadata, uid))
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
  isOne: (pod, name) => ownedByOne(pod, 'DaemonSet', it => it === name),
}
