import type { Site, StageName } from '../../playbooks/site.ts'
import type { ApplyOptions } from '../engine/apply.ts'
import type { Plan } from '../engine/plan.ts'
import type { Counts } from '../engine/step.ts'
import type { Owned } from '../scaleway/leftovers.ts'
import type { Session } from './session.ts'

/** A command that has planned, and how far it is. */
export type Staged = {
  session: Session
  site: Site
  plan: Plan
  /** At Scaleway. */
  projectId: string
  /** The stages of this command; what comes before them is only looked at. */
  stages: readonly StageName[]
  counts: Counts
  /** What this context made and nothing here wants; known only to a deploy of the whole context. */
  orphans: Owned[]
  /** What was told of what stands in the way of the rollout. */
  foreseen?: string
  /** Asked right before each change: throws where a saved plan did not announce it. */
  admit?: ApplyOptions['admit']
}
