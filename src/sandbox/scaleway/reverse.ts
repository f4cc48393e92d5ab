import { type Fault, invalid } from './answer.ts'

/** A reverse name must lead to its address. There is no DNS here that could, except for the names it gives itself. */
export const resolves = (reverse: string | undefined, reason: Fault['reason']) => {
  if (!reverse || reverse.endsWith('.instances.scw.cloud')) return
  throw invalid({ argument_name: 'reverse', reason, help_message: `${reverse} does not resolve to this address` })
}
