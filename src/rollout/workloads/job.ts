import { isOver } from '../workload.ts'
import { ownedByOne, type WorkloadKind } from './kind.ts'
import { own } from './own.ts'

/** What was started is left to finish: nobody can change its template, and ending it would lose its work. */
export const job: WorkloadKind = {
  apiVersion: 'batch/v1',
  templateAt: ['spec', 'template'],
  fixed: true,
  pods: async (kube, workload) => ({ current: (await own(kube, workload)).filter(it => !isOver(it)), old: [] }),
  progress: () => null,
  settled: () => true,
  isOne: (pod, name) => ownedByOne(pod, 'Job', it => it === name),
}
