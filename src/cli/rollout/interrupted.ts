import { Problem } from '../../engine/problem.ts'
import type { Session } from '../session.ts'

/** What a Ctrl-C ends a run with: all that was under way is done; after a second one nobody knows. */
export const interrupted = ({ run, world }: Session, or = 'or take it back with rollback.ts --to start') => {
  const next = `go on with deploy.mjs --resume ${run}, ${or}`
  return world.abort.aborted
    ? new Problem('interrupted while something was under way', {
        why: 'a second signal ended its waits: what had been begun may be finished or not, and the next run looks',
        next,
        exit: 130,
      })
    : new Problem('interrupted: what was under way was finished, nothing is half-done', {
        why: 'you asked for it',
        next,
        exit: 130,
      })
}
