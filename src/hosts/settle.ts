import { createRequire } from 'node:module'
import { lazily } from '../engine/lazily.ts'
import { Problem } from '../engine/problem.ts'
import type { Seen } from './exchange.ts'
import type { Facts } from './facts.ts'
import type { Task } from './tasks/all.ts'
import { factsTitle } from './tasks/facts.ts'
import type { render } from './template.ts'

const load = createRequire(import.meta.url)
const templates = lazily(() => load('./tasks/template.ts') as typeof import('./tasks/template.ts'))

/** What is to be done on this very host, now that it was looked at: conditions are decided, templates rendered. */
export const settled = (tasks: Task[], { states }: Pick<Seen, 'states'>, draw?: typeof render): Task[] => {
  const facts = states[factsTitle] as Facts | undefined
  return tasks
    .filter(task => meant(task, facts))
    .map(task => {
      if (task.task !== 'template') return task
      const { onlyOn: _, ...rest } = task
      return templates().fileOfTemplate(rest, facts, draw)
    })
}

const meant = ({ onlyOn }: Task, facts: Facts | undefined): boolean => {
  if (!onlyOn) return true
  if (!facts)
    throw new Problem('a task is only for some distributions, and the play does not ask which one a host has', {
      why: `onlyOn: ${onlyOn.join(', ')} needs a facts task in the same play`,
      next: "add { task: 'facts' } to the play",
      exit: 2,
    })
  return onlyOn.some(it => it === facts.distribution || facts.like.includes(it))
}
