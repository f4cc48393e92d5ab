import { isLeaving, isReady } from '../workload.ts'
import { resolve } from './amounts.ts'
import type { Check, Finding } from './finding.ts'
import { matches } from './labels.ts'
import type { Budget, Moving } from './sight.ts'

type Strategy = { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } }

/**
 * How many pods a move takes away at once, and how many it adds before.
 * @see the defaults and roundings of Deployments: unavailable down, surge up, and never both zero
 */
export const disruption = ({ workload, of }: Pick<Moving, 'workload' | 'of'>): { down: number; extra: number } => {
  const { kind, spec, status = {} } = workload
  if (of.fixed || of.labelOnly || kind === 'CronJob') return { down: 0, extra: 0 }
  const strategy = (kind === 'Deployment' ? spec.strategy : spec.updateStrategy) as Strategy | undefined
  const { type, rollingUpdate = {} } = strategy ?? {}
  if (type === 'OnDelete') return { down: 0, extra: 0 }
  const pods = kind === 'DaemonSet' ? (status.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1)
  if (kind === 'Deployment') {
    if (type === 'Recreate') return { down: pods, extra: 0 }
    const extra = resolve(rollingUpdate.maxSurge ?? '25%', pods, Math.ceil)!
    const down = resolve(rollingUpdate.maxUnavailable ?? '25%', pods, Math.floor)!
    return { down: Math.min(pods, extra === 0 && down === 0 ? 1 : down), extra }
  }
  const down = Math.min(pods, resolve(rollingUpdate.maxUnavailable ?? 1, pods, Math.ceil)!)
  const extra = resolve(rollingUpdate.maxSurge ?? 0, pods, Math.ceil)!
  return extra > 0 ? { down: 0, extra } : { down, extra }
}

/** A move that leaves no pod of a workload is an outage, also a short one. A DaemonSet has others on other nodes. */
export const outage: Check = ({ moving }) =>
  moving.flatMap((it): Finding[] => {
    const { workload, name } = it
    const { kind, spec } = workload
    if (kind !== 'Deployment' && kind !== 'StatefulSet') return []
    const pods = spec.replicas ?? 1
    if (pods === 0 || disruption(it).down < pods) return []
    const recreate = (spec.strategy as Strategy | undefined)?.type === 'Recreate'
    const why = recreate
      ? 'its strategy is Recreate: all pods stop before the first new one starts'
      : kind === 'StatefulSet'
        ? 'its only pod stops before the new one starts, as a StatefulSet makes none beside it'
        : `its strategy lets all ${pods} pods go at once`
    const better = kind === 'Deployment' ? 'let it surge (maxSurge: 1, maxUnavailable: 0)' : 'give it a second pod'
    const next = `${better}; or take the outage: rollout: { preflight: { accept: [outage] } }`
    return [{ level: 'stop', workload: name, what: 'moving it is an outage', why, next }]
  })

/** Rolling updates do not ask disruption budgets; we do, for all that moves in one phase. */
export const budget: Check = ({ moving, budgets, pods }) => {
  const phases = phasesOf(moving).map(phase => phase.filter(it => disruption(it).down > 0))
  return budgets.flatMap(it => phases.flatMap(phase => overspent(it, phase, pods)))
}

const overspent = (budget: Budget, phase: Moving[], pods: Parameters<typeof isReady>[0][]): Finding[] => {
  const { selector, minAvailable, maxUnavailable } = budget.spec
  const concerned = phase.filter(it => matches(selector, it.labels.before))
  if (concerned.length === 0) return []
  const mine = pods.filter(it => matches(selector, it.metadata.labels ?? {}) && !isLeaving(it))
  const healthy = mine.filter(isReady).length
  const down = concerned.reduce((sum, it) => sum + disruption(it).down, 0)
  const floor =
    maxUnavailable === undefined
      ? resolve(minAvailable ?? 1, mine.length, Math.ceil)!
      : mine.length - resolve(maxUnavailable, mine.length, Math.ceil)!
  if (healthy - down >= floor) return []
  const names = concerned.map(it => it.name).slice(1)
  const also = names.length > 0 ? `, with ${names.join(', ')} in the same phase` : ''
  const { name } = budget.metadata
  return [
    {
      level: 'stop',
      workload: concerned[0]!.name,
      what: `moving it goes below PodDisruptionBudget ${name}`,
      why: `${healthy} pods are ready and ${down} may be down at once${also}, and ${floor} must stay: a rolling update does not ask`,
      next: `set maxUnavailable: 0 and maxSurge: 1, or smaller batches; or rollout: { preflight: { accept: [budget] } }`,
      ...(healthy < mine.length && { passing: true as const }),
    },
  ]
}

export const phasesOf = (moving: readonly Moving[]): Moving[][] => [...Map.groupBy(moving, it => it.phase).values()]
