import type { Api } from './api.ts'
import { reconcileBudget } from './disruption.ts'
import type { Record } from './events.ts'
import { isOver } from './eviction.ts'
import { keyOf } from './object.ts'
import { createQueue } from './queue.ts'
import { quotasOver, reconcileQuota } from './quotas.ts'
import { kind } from './resources.ts'
import type { Store, StoreEvent } from './store.ts'

type Parts = { store: Store; api: Api; record: Record }
type Happened = Pick<StoreEvent, 'of' | 'type' | 'object' | 'before'>

/** Controllers of everything but Deployments: which key each event wakes, and their queues. */
export const createWorkloads = ({ store, api }: Parts) => {
  const queues = {
    budgets: createQueue('poddisruptionbudget', key => reconcileBudget(store, api, key)),
    quotas: createQueue('resourcequota', key => reconcileQuota(store, api, key)),
  }

  const wakeBudgets = ({ of, object, before }: Happened) => {
    const { namespace } = object.metadata
    const isResized = before && object.spec?.replicas !== before.spec?.replicas
    for (const budget of store.list(kind('PodDisruptionBudget'), namespace)) {
      const isOne = of.kind === 'Pod' && [object, before].some(it => it && isOver(budget, it))
      if (isOne || isResized) queues.budgets.add(keyOf(budget))
    }
  }

  return {
    wake(event: Happened) {
      const { of, object, before } = event
      if (of.kind === 'PodDisruptionBudget') queues.budgets.add(keyOf(object))
      else wakeBudgets(event)
      const isCounted =
        event.type !== 'MODIFIED' || (of.kind === 'Pod' && object.status?.phase !== before?.status?.phase)
      if (of.kind === 'ResourceQuota') queues.quotas.add(keyOf(object))
      else if (isCounted)
        for (const it of quotasOver(store, of, object.metadata.namespace)) queues.quotas.add(keyOf(it))
    },
    close: () => Promise.all(Object.values(queues).map(it => it.close())),
  }
}
