import { type CriticalPath, criticalPath } from '../engine/critical-path.ts'
import { millis } from '../engine/duration.ts'
import { gatewayGates, movedGates, soakedGates } from '../rollout/gates.ts'
import type { Staged } from './staged.ts'
import { pendingOf } from './stages.ts'

/** How long what is pending takes, with the gates and soaks of each phase that moves something. */
export const expectedTime = (staged: Staged): CriticalPath => {
  const pending = new Set(pendingOf(staged).flatMap(it => (it.step ? [it.step.id] : [])))
  const extra = staged.site.phases.flatMap(({ name, moves, desired }) => {
    const soaks = name === 'gateway' || name === 'canary' ? [] : moves.map(it => millis(it.tenant.rollout.then.soak))
    const soak = Math.max(0, ...soaks) / 1000
    const asked = name === 'gateway' ? secondsOf(gatewayGates) : secondsOf(movedGates)
    const seconds = asked + (soak > 0 ? soak + secondsOf(soakedGates) : 0)
    return desired.map(it => [it.id, seconds] as const)
  })
  return criticalPath(staged.plan.seen, pending, new Map(extra))
}

const secondsOf = (gates: readonly { every: string; measure: number }[]) =>
  gates.reduce((sum, { every, measure }) => sum + (millis(every) / 1000) * (measure - 1), 0)
