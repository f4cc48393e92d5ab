import { isOver, ownedBy, type Pod, queryOf } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'

/** What was started is left to finish: nobody can change its template, and ending it would lose its work. */
export const job: WorkloadKind = {
  apiVersion: 'batch/v1',
  templateAt: ['spec', 'template'],
  fixed: true,
  async pods(kube, { metadata: { namespace, uid }, spec }) {
    const labelSelector = queryOf(spec.selector)
    const { items } = await kube.list<Pod>({
      apiVersion: 'v1',
      kind: 'Pod',
      ...(namespace && { namespace }),
      labelSelector,
    })
    return { current: items.filter(it => ownedBy(it.metadata, uid) && !isOver(it)), old: [] }
  },
  progress: () => null,
  settled: () => true,
  isOne: (pod, name) => ownedByOne(pod, 'Job', it => it === name),
}
