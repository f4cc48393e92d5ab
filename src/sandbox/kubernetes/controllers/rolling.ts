import type { Obj } from '../objects/object.ts'

/** How many may be there too many and too few, from numbers or percentages; never both zero. */
export const bounds = ({ spec }: Obj): { surge: number; unavailable: number } => {
  const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {}
  const surge = resolve(maxSurge ?? 0, spec.replicas, Math.ceil)
  const unavailable = resolve(maxUnavailable ?? 0, spec.replicas, Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export const resolve = (value: number | string, of: number, round: (value: number) => number): number =>
  typeof value === 'string' && value.endsWith('%') ? round((Number(value.slice(0, -1)) * of) / 100) : Number(value)

const total = (sets: Obj[]) => sets.reduce((sum, it) => sum + it.spec.replicas, 0)
const available = (it: Obj): number => it.status?.availableReplicas ?? 0

/** Replicas of the new set: as many as the surge leaves room for. */
export const scaleUp = (deployment: Obj, current: Obj, others: Obj[]): number => {
  const wanted = deployment.spec.replicas
  const has = current.spec.replicas
  if (has >= wanted) return wanted
  const room = wanted + bounds(deployment).surge - total([current, ...others])
  return room > 0 ? Math.min(has + room, wanted) : has
}

/**
 * Replicas of the old sets: those that are not available go first, then as many as the new ones stand in for.
 * Never fewer than `replicas - maxUnavailable` stay available.
 */
export const scaleDown = (deployment: Obj, current: Obj, others: Obj[]): { set: Obj; replicas: number }[] => {
  const least = deployment.spec.replicas - bounds(deployment).unavailable
  const missing = current.spec.replicas - available(current)
  let may = total([current, ...others]) - least - missing
  let spare = [current, ...others].reduce((sum, it) => sum + available(it), 0) - least
  const oldest = [...others].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
  const targets = new Map(oldest.map(it => [it, it.spec.replicas as number]))
  for (const set of oldest) {
    const sick = Math.max(0, Math.min(may, set.spec.replicas - available(set)))
    targets.set(set, set.spec.replicas - sick)
    may -= sick
  }
  for (const set of oldest) {
    const healthy = Math.max(0, Math.min(may, spare, targets.get(set)!))
    targets.set(set, targets.get(set)! - healthy)
    may -= healthy
    spare -= healthy
  }
  return [...targets].map(([set, replicas]) => ({ set, replicas })).filter(it => it.replicas !== it.set.spec.replicas)
}
