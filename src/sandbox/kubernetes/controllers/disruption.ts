import type { Api } from '../api/api.ts'
import { isOver } from '../api/eviction.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { controllerOf, isReady, withCondition } from '../objects/object.ts'
import { kind, maybeKind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { resolve } from './rolling.ts'

const me = 'kube-controller-manager'
const forgottenMs = 120_000

/** Counts what a PodDisruptionBudget leaves room for. Answers when a disruption that never came is forgotten. */
export const reconcileBudget = (store: Store, api: Api, key: string): number | undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const of = kind('PodDisruptionBudget')
  const budget = store.get(of, namespace, name)
  if (!budget) return undefined
  const pods = store.list(kind('Pod'), namespace).filter(it => isOver(budget, it))
  const { expected, desired, trouble } = wanted(store, budget, pods)
  const { pending, lookAgain } = stillComing(budget, pods)
  const healthy = pods.filter(it => !it.metadata.deletionTimestamp && isReady(it) && !(it.metadata.name in pending))
  const allowed = expected > 0 ? Math.max(0, healthy.length - desired) : 0
  const condition = trouble
    ? { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: trouble }
    : allowed > 0
      ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
      : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' }
  const status = {
    currentHealthy: healthy.length,
    desiredHealthy: desired,
    disruptionsAllowed: trouble ? 0 : allowed,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation,
    ...(Object.keys(pending).length > 0 && { disruptedPods: pending }),
    conditions: withCondition(budget.status?.conditions, {
      ...condition,
      observedGeneration: budget.metadata.generation,
    }),
  }
  api.modify(
    of,
    budget,
    it => {
      it.status = status
    },
    me,
    'status',
  )
  return lookAgain
}

/** How many pods there should be and how many of them must stay; numbers of controllers, where they are asked for. */
const wanted = (store: Store, { spec }: Obj, pods: Obj[]): { expected: number; desired: number; trouble?: string } => {
  const { minAvailable, maxUnavailable } = spec
  if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable }
  const owners = new Map<string, number>()
  for (const pod of pods) {
    const scale = scaleOf(store, pod)
    if (!scale) return { expected: 0, desired: 0, trouble: `found no controllers for pod "${pod.metadata.name}"` }
    owners.set(scale.uid, scale.replicas)
  }
  const expected = [...owners.values()].reduce((a, b) => a + b, 0)
  if (maxUnavailable !== undefined)
    return { expected, desired: Math.max(0, expected - resolve(maxUnavailable, expected, Math.ceil)) }
  return { expected, desired: resolve(minAvailable ?? 1, expected, Math.ceil) }
}

/** The replicas of what controls the pod: of the Deployment above its ReplicaSet, where there is one. */
const scaleOf = (store: Store, pod: Obj): { uid: string; replicas: number } | undefined => {
  const above = (it: Obj) => {
    const ref = controllerOf(it)
    const of = ref && maybeKind(ref.apiVersion, ref.kind)
    const found = of && store.get(of, pod.metadata.namespace, ref.name)
    return found?.metadata.uid === ref?.uid ? found : undefined
  }
  const owner = above(pod)
  const top = owner && (above(owner) ?? owner)
  return typeof top?.spec?.replicas === 'number' ? { uid: top.metadata.uid, replicas: top.spec.replicas } : undefined
}

/** Disruptions that were allowed and whose pods are there yet; one that did not come within two minutes never does. */
const stillComing = ({ status = {} }: Obj, pods: Obj[]): { pending: Record<string, Loose>; lookAgain?: number } => {
  const alive = new Set(pods.filter(it => !it.metadata.deletionTimestamp).map(it => it.metadata.name))
  const since = Object.entries((status.disruptedPods ?? {}) as Record<string, string>)
    .map(([name, at]) => [name, at, Date.parse(at) + forgottenMs - Date.now()] as const)
    .filter(([name, , left]) => alive.has(name) && left > 0)
  const pending = Object.fromEntries(since.map(([name, at]) => [name, at]))
  return since.length > 0 ? { pending, lookAgain: Math.min(...since.map(it => it[2])) + 50 } : { pending }
}
