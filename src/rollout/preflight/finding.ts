import { calledAs, type WorkloadRef } from '../workload.ts'
import type { Sight } from './sight.ts'

/**
 * What a rollout would meet. `stop`: nothing moves before it is mended. `passing`: it may be over by itself soon.
 * `firm`: it cannot work, whoever accepts it. `workload`: as people call it, with its namespace; or the namespace alone.
 */
export type Finding = {
  level: 'stop' | 'note'
  workload: string
  what: string
  why: string
  next: string
  passing?: true
  firm?: true
}

/** A pure look at what was read of one namespace. */
export type Check = (sight: Sight) => Finding[]

export const nameOf = ({ namespace, workload }: { namespace: string; workload: WorkloadRef }): string =>
  `${namespace}/${calledAs(workload)}`
