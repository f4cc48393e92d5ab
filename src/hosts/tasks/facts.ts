import { Problem } from '../../engine/problem.ts'
import { type Asked, type Facts, lookFacts, parseFacts } from '../facts.ts'
import type { TaskKind } from './kind.ts'

/** Looks and changes nothing: what it sees is there for the templates and conditions of its play. One a play. */
export type FactsTask = { task: 'facts' } & Asked

/** Every package and service that was asked about has a line of its own, so the answer says what the question was. */
export const factsTask: TaskKind<FactsTask, Facts> = {
  title: () => factsTitle,
  look: task => lookFacts(checked(task)),
  parse: output => parseFacts(output, askedIn(output)),
  diff: () => null,
  change: () => ':',
  restore: () => ':',
  same: () => true,
}

export const factsTitle = 'facts'

const askedIn = (output: string): Asked => {
  const names = (tag: string) => [
    ...new Set([...output.matchAll(new RegExp(`^${tag}:(\\S+) `, 'gm'))].map(it => it[1]!)),
  ]
  return { packages: names('package'), services: names('service') }
}

const checked = (task: FactsTask): FactsTask => {
  for (const it of [...(task.packages ?? []), ...(task.services ?? [])])
    if (!/^[A-Za-z0-9][\w.+@-]*$/.test(it))
      throw new Problem(`${JSON.stringify(it)} cannot be asked about`, {
        why: 'it is not the name of a package or a service',
        next: 'correct it where the task is written',
        exit: 2,
      })
  return task
}
