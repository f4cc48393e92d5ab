import type { Seen } from '../engine/plan.ts'
import { durationText, planText } from '../report/plan.ts'
import { expectedTime } from './expected.ts'
import { tellOrphans } from './orphans.ts'
import { replacementsOf } from './replacements.ts'
import type { Staged } from './staged.ts'

/** The plan as data and as text: what changes, what hangs on it, and how long it takes. */
export const tellPlan = (staged: Staged, planned: Seen[]) => {
  const pending = planned.filter(it => !it.step?.looksOnly)
  const { session, site, plan } = staged
  for (const { step, was } of pending) {
    if (!step) continue
    const { id, change, unknown, oneWay } = step
    session.output.event('planned', { step: id, change, unknown, oneWay: oneWay || change.action === 'replace' })
    if (was !== undefined) session.output.event('goes-first', { step: id, why: change.why })
  }
  const duration = expectedTime(staged)
  const protectedIds = site.protectedIds
  for (const line of planText(pending, { diff: session.flags.diff, all: plan.seen, protectedIds }))
    session.output.data(line)
  for (const line of durationText(duration)) session.output.data(line)
  tellOrphans(session, staged.orphans)
  session.output.event('plan', { ...duration, replacements: replacementsOf(staged), protected: [...protectedIds] })
}
