import { crashing, whyNot } from '../pod-trouble.ts'
import { isReady, type Pod, type Workload } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'
import { own } from './own.ts'

const HASH = 'controller-revision-hash'

/**
 * One pod after the other, from the last: those below the partition, and with OnDelete all, keep the template they have
 * until their owner lets go of them.
 */
export const statefulSet: WorkloadKind = {
  apiVersion: 'apps/v1',
  templateAt: ['spec', 'template'],
  async pods(kube, workload) {
    const ours = await own(kube, workload)
    const isNew = (it: Pod) => it.metadata.labels?.[HASH] === workload.status?.updateRevision
    return { current: ours.filter(isNew), old: ours.filter(it => !isNew(it)) }
  },
  progress(workload, { current, old }) {
    const wanted = reached(workload)
    const broken = old.map(pod => ({ pod, why: crashing(pod) })).find(it => it.why && isReached(workload, it.pod))
    if (broken && workload.spec.podManagementPolicy !== 'Parallel') {
      const { name, namespace } = broken.pod.metadata
      const why = `pod ${name} of an earlier template crashes (${broken.why}), and a StatefulSet waits for it to be ready`
      return { state: 'stuck', why: `${why}; if it may go: kubectl -n ${namespace} delete pod ${name}` }
    }
    const ready = current.filter(isReady).length
    if (current.length < wanted) return { state: 'waiting', what: `${current.length}/${wanted} new pods${whyNot(old)}` }
    if (ready < wanted) return { state: 'waiting', what: `${ready}/${wanted} ready pods${whyNot(current)}` }
    const left = old.filter(it => isReached(workload, it)).length
    return left > 0 ? { state: 'waiting', what: `${left} old pods are still there` } : null
  },
  settled: workload => (workload.status?.updatedReplicas ?? 0) >= reached(workload),
  kept(workload, old) {
    const pods = old.filter(it => !isReached(workload, it)).sort((a, b) => numberOf(b) - numberOf(a))
    const [last] = pods
    if (!last) return null
    const { namespace, name } = workload.metadata
    if (workload.spec.updateStrategy?.type === 'OnDelete')
      return { pods, renew: `kubectl -n ${namespace} delete pod ${last.metadata.name}` }
    // One below the partition that is deleted comes back with the template it had.
    const rollingUpdate = { partition: numberOf(last) - first(workload) }
    const patch = JSON.stringify({ spec: { updateStrategy: { rollingUpdate } } })
    return { pods, renew: `kubectl -n ${namespace} patch statefulset ${name} -p '${patch}'` }
  },
  isOne: (pod, name) => ownedByOne(pod, 'StatefulSet', it => it === name),
}

const partitionOf = ({ spec }: Workload): number =>
  spec.updateStrategy?.type === 'OnDelete'
    ? Number.POSITIVE_INFINITY
    : (spec.updateStrategy?.rollingUpdate?.partition ?? 0)

/** How many pods get a new template without anybody's help. */
const reached = (workload: Workload): number => Math.max(0, (workload.spec.replicas ?? 1) - partitionOf(workload))

/** A partition counts pods, whatever number the first one has. */
const isReached = (workload: Workload, pod: Pod): boolean => numberOf(pod) - first(workload) >= partitionOf(workload)

const numberOf = ({ metadata: { name } }: Pod): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)

const first = ({ spec }: Workload): number => spec.ordinals?.start ?? 0
