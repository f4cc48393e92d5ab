import type { Step } from '../engine/step.ts'
import type { Catalogue } from './catalogue.ts'
import type { Scaleway } from './client.ts'

/** What the API would refuse, before anything is written. `field` is a member of the step's Want. */
export type Finding = { step: string; field: string; what: string; why: string; next: string }

/** Looks at one step that would make something; `want` may still hold Refs. */
export type Check = (making: Making) => Promise<Finding[]>
export type Making = {
  step: Step
  // biome-ignore lint/suspicious/noExplicitAny: the Want of whichever kind the check is listed under
  want: any
  scaleway: Scaleway
  catalogue: Catalogue
}
