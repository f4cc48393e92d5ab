import { throwAll } from '../engine/plan.ts'
import { preflight } from '../scaleway/preflight.ts'
import { placeOf } from './places.ts'
import type { Staged } from './staged.ts'
import { pendingOf } from './stages.ts'

/** Everything that Scaleway would refuse of this plan, at once and with its line, before the first write. */
export const refuseEarly = async (staged: Staged): Promise<void> => {
  const { session, site } = staged
  const cloud = new Set(site.cloud.map(it => it.id))
  const steps = pendingOf(staged).flatMap(({ step }) => (step && cloud.has(step.id) ? [step] : []))
  if (steps.length === 0) return
  const { findings, unanswered } = await preflight(steps, await session.clients.scaleway())
  for (const it of unanswered) session.output.say(`note: not checked, as Scaleway does not tell: ${it}`)
  const problems = findings.map(it => session.problemAt(placeOf(it, session.context), it.what, it.why, it.next))
  throwAll(problems.sort((a, b) => a.message.localeCompare(b.message, 'en', { numeric: true })))
}
