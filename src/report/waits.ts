import type { EngineEvent } from '../engine/events.ts'
import { seconds } from './progress.ts'

/** What is under way right now, in lines: the steps that run, what they wait for and for how long. */
export const createWaits = () => {
  const open = new Map<string, { since: number; what: string }>()
  return {
    see(event: EngineEvent) {
      if (event.event === 'step-started') open.set(event.step.id, { since: Date.now(), what: '' })
      else if (event.event === 'step-undoing') open.set(event.step, { since: Date.now(), what: 'undoing' })
      else if (event.event === 'step-progress') touch(event.step, event.part)
      else if (event.event === 'step-waiting') touch(event.step, event.what)
      else open.delete(event.step)
    },
    /** At most `most` lines, the oldest first. */
    lines(most: number): string[] {
      const all = [...open].map(([id, { since, what }]) => {
        const text = what && what !== id ? `${id}: ${what}` : id
        return `${text} (${seconds(Date.now() - since)})`
      })
      return all.length <= most ? all : [...all.slice(0, most - 1), `and ${all.length - most + 1} more`]
    },
  }

  function touch(step: string, what: string) {
    const it = open.get(step)
    if (it) it.what = what
    else open.set(step, { since: Date.now(), what })
  }
}
