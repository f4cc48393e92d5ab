import type { Json } from './json.ts'
import type { Change } from './kind.ts'

/** One change that will be made: JSON, no closures, no secrets. `want` keeps the Refs that are known only later. */
export type Step = {
  id: string
  kind: string
  needs: string[]
  want: Json
  change: Change
  /** Ids whose values this step waits for: shown as known after apply. */
  unknown: string[]
  oneWay: boolean
  /** A look that has to wait: it counts for no change. */
  looksOnly?: true
}

/** How far one environment's run is allowed to look and wait. */
export type Counts = { create: number; update: number; delete: number; unchanged: number }

/** What a plan will count in the end: what is taken down and made again is deleted and created. */
export const countPlanned = (seen: readonly { step: Step | null; was?: Json }[]): Counts =>
  countChanges(
    seen.flatMap(({ step, was }): (Change | null)[] => {
      if (!step || step.looksOnly) return [null]
      if (was === undefined) return [step.change]
      return [
        { ...step.change, action: 'delete' },
        { ...step.change, action: 'create' },
      ]
    }),
  )

/** A step with parts counts its parts: what a person would call changes. */
export const countChanges = (changes: readonly (Change | null)[]): Counts => {
  const counts: Counts = { create: 0, update: 0, delete: 0, unchanged: 0 }
  for (const change of changes) {
    if (!change) counts.unchanged++
    else if (change.action === 'create') counts.create++
    else if (change.action === 'delete') counts.delete++
    else counts.update++
  }
  return counts
}
