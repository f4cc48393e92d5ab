import type { Loose, Obj } from '../objects/object.ts'
import { isReady, now } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import { selects } from '../objects/selectors.ts'
import { Refused } from '../objects/status.ts'
import type { Store } from '../objects/store.ts'
import type { Api } from './api.ts'

/**
 * The eviction subresource of a pod: a deletion that a PodDisruptionBudget may refuse with 429. A pod that does not
 * run, or that is not ready where its budget is met anyway, needs nobody's leave.
 */
export const evict = (store: Store, api: Api, namespace: string, name: string, body: Loose): Loose => {
  const pod = api.get(kind('Pod'), namespace, name)
  const { dryRun, ...options } = body?.deleteOptions ?? {}
  const budgets = store.list(kind('PodDisruptionBudget'), namespace).filter(it => isOver(it, pod))
  if (budgets.length > 1) {
    const why = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    throw new Refused(500, 'InternalError', why)
  }
  const isDry = !!dryRun?.includes('All')
  const budget = needsNoLeave(pod) ? undefined : budgets[0]
  if (budget && (isReady(pod) || !mayGoUnready(budget))) ask(api, budget, pod, isDry)
  api.remove(kind('Pod'), namespace, name, { ...options, dryRun: isDry })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

/** A budget without a selector guards nothing, with an empty one all pods of its namespace. */
export const isOver = ({ spec }: Obj, pod: Obj): boolean =>
  !!spec.selector && selects(spec.selector, pod.metadata.labels)

const needsNoLeave = ({ status, metadata }: Obj): boolean =>
  ['Succeeded', 'Failed', 'Pending'].includes(status?.phase) || !!metadata.deletionTimestamp

const mayGoUnready = ({ spec, status = {} }: Obj): boolean =>
  spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
  (status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0)

const ask = (api: Api, budget: Obj, pod: Obj, isDry: boolean): void => {
  const { status = {}, metadata } = budget
  const { name } = metadata
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10)
  if ((status.disruptionsAllowed ?? 0) < 1) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status
    throw tooMany(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    )
  }
  if (isDry) return
  api.modify(
    kind('PodDisruptionBudget'),
    budget,
    it => {
      it.status.disruptionsAllowed--
      it.status.disruptedPods = { ...it.status.disruptedPods, [pod.metadata.name]: now() }
    },
    'kube-apiserver',
    'status',
  )
}

const tooMany = (message: string, retryAfterSeconds?: number) =>
  new Refused(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds && { retryAfterSeconds }),
  })
