import type { Entry } from '../../engine/journal.ts'

/** What a note of a rollout that passed whole says. Null: for all tenants that there were. */
type RolloutPassed = { tenants: string[] } | null

/** Does it end what these tenants' rollouts had open? */
export const endsRollout = (it: Entry, tenants: readonly string[]): boolean => {
  if (it.event !== 'note' || it.topic !== 'rollout-passed') return false
  const passed = it.data as RolloutPassed
  return passed === null || tenants.some(name => passed.tenants.includes(name))
}
