import { Problem } from '../engine/problem.ts'
import type { Live } from './egress-live.ts'
import { type EgressWant, showWorkload } from './egress-want.ts'
import type { Kube } from './kube/kube.ts'
import { type Rollout, readRollout } from './workloads/read.ts'

/** What stood there before goes to the journal, and no secret may. */
export const refusePasswords = (want: EgressWant, { env }: Live): void => {
  const names = Object.values(env).flatMap(values =>
    Object.entries(values).flatMap(([name, value]) => (/\/\/[^\s/@]+@/.test(JSON.stringify(value)) ? [name] : [])),
  )
  if (names.length === 0) return
  throw new Problem(`${showWorkload(want)}: not moved`, {
    why: `${[...new Set(names)].join(', ')} holds credentials, and earlier values are written to the journal`,
    next: 'give these by valueFrom a Secret, or take them out, then run again',
  })
}

/** What stands against moving it as it is now. */
export const refuse = (want: EgressWant, { workload, template, of }: Rollout): void => {
  const { deletionTimestamp } = workload.metadata
  const said = deletionTimestamp
    ? {
        why: `it is being deleted since ${deletionTimestamp}`,
        next: 'wait until it is gone, or take it out of the inventory',
      }
    : template.spec.hostNetwork
      ? {
          why: 'its pods use the network of their nodes, which no NetworkPolicy sees and no label moves',
          next: 'take it out of the inventory, or give its pods a network of their own (hostNetwork: false)',
        }
      : of.refuses?.(workload)
  if (said) throw new Problem(`${showWorkload(want)}: not moved`, said)
}

export const found = async (kube: Kube, want: EgressWant): Promise<Rollout> => {
  const rollout = await readRollout(kube, want)
  if (rollout) return rollout
  throw new Problem(`${showWorkload(want)}: not found`, {
    why: 'the inventory names a workload that the cluster does not have',
    next: 'deploy the workload, or take it out of the tenant file',
  })
}
