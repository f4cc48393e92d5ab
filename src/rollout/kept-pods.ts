import { isLeaving } from './workload.ts'
import type { Kept } from './workloads/kind.ts'
import type { Rollout } from './workloads/read.ts'

/** Pods of an earlier template that stay until their owner renews them; null: there are none such. */
export const keptPods = ({ of, workload, old }: Pick<Rollout, 'of' | 'workload' | 'old'>): Kept | null =>
  of.kept?.(
    workload,
    old.filter(it => !isLeaving(it)),
  ) ?? null

/** `2 pods keep their template until their owner renews them (db-1, db-0)` */
export const keptText = ({ pods }: Kept): string => {
  const names = pods.map(it => it.metadata.name)
  const shown = names.length > 5 ? [...names.slice(0, 5), '...'] : names
  const [keep, them] = pods.length === 1 ? ['pod keeps its', 'renews it'] : ['pods keep their', 'renews them']
  return `${pods.length} ${keep} earlier template until the owner ${them} (${shown.join(', ')})`
}
