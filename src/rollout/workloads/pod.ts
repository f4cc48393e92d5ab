import type { Pod } from '../workload.ts'
import type { WorkloadKind } from './kind.ts'

/** A pod that nobody made but a person: it takes the label at once, and never the variables. */
export const barePod: WorkloadKind = {
  apiVersion: 'v1',
  templateAt: [],
  labelOnly: true,
  pods: async (_, workload) => ({ current: [workload as unknown as Pod], old: [] }),
  progress: () => null,
  settled: () => true,
  isOne: (pod, name) => pod.metadata.name === name,
  refuses({ metadata: { ownerReferences = [] } }) {
    const owner = ownerReferences.find(it => it.controller)
    if (!owner) return null
    const why = `it belongs to ${owner.kind} ${owner.name}, whose next pod would not have the label`
    return { why, next: `name the ${owner.kind} as the workload instead` }
  },
}
