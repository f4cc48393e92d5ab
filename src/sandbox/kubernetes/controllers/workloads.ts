import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import { isOver } from '../api/eviction.ts'
import { controllerOf, keyOf } from '../objects/object.ts'
import { createQueue } from '../objects/queue.ts'
import { kind } from '../objects/resources.ts'
import type { Store, StoreEvent } from '../objects/store.ts'
import { reconcileCronJob } from './cronjobs.ts'
import { reconcileDaemonSet } from './daemonsets.ts'
import { reconcileBudget } from './disruption.ts'
import { reconcileJob } from './jobs.ts'
import { quotasOver, reconcileQuota } from './quotas.ts'
import { reconcileStatefulSet } from './statefulsets.ts'

/** `backoffMs`: how long the second pod of a failing Job waits. */
type Parts = { store: Store; api: Api; record: Record; backoffMs: number }
type Happened = Pick<StoreEvent, 'of' | 'type' | 'object' | 'before'>

/** Controllers of everything but Deployments: which key each event wakes, and their queues. */
export const createWorkloads = ({ store, api, record, backoffMs }: Parts) => {
  const queues = {
    statefulSets: createQueue('statefulset', key => reconcileStatefulSet(store, api, record, key)),
    daemonSets: createQueue('daemonset', key => reconcileDaemonSet(store, api, record, key)),
    jobs: createQueue('job', key => reconcileJob(store, api, record, backoffMs, key)),
    cronJobs: createQueue('cronjob', key => reconcileCronJob(store, api, record, key)),
    budgets: createQueue('poddisruptionbudget', key => reconcileBudget(store, api, key)),
    quotas: createQueue('resourcequota', key => reconcileQuota(store, api, key)),
  }

  const byKind: { [kind: string]: { add(key: string): void } } = {
    StatefulSet: queues.statefulSets,
    DaemonSet: queues.daemonSets,
    Job: queues.jobs,
    CronJob: queues.cronJobs,
    PodDisruptionBudget: queues.budgets,
    ResourceQuota: queues.quotas,
  }

  const wakeOwners = ({ of, object, before }: Happened) => {
    byKind[of.kind]?.add(keyOf(object))
    const owner = controllerOf(object) ?? (before && controllerOf(before))
    if (owner) byKind[owner.kind]?.add(`${object.metadata.namespace}/${owner.name}`)
    if (of.kind === 'Node') for (const it of store.list(kind('DaemonSet'))) queues.daemonSets.add(keyOf(it))
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
      wakeOwners(event)
      wakeBudgets(event)
      const isCounted =
        event.type !== 'MODIFIED' || (of.kind === 'Pod' && object.status?.phase !== before?.status?.phase)
      if (isCounted) for (const it of quotasOver(store, of, object.metadata.namespace)) queues.quotas.add(keyOf(it))
    },
    close: () => Promise.all(Object.values(queues).map(it => it.close())),
  }
}
