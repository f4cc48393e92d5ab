import type { Seen } from '../engine/plan.ts'
import { sign } from './plain.ts'

/** A plan as a person reads it: what will change, and with `diff` how. Empty: nothing to do. */
export const planText = (seen: Iterable<Seen>, { diff = false } = {}): string[] => {
  const steps = [...seen].flatMap(it => (it.step ? [it.step] : []))
  return steps.flatMap(({ id, change, unknown, oneWay }) => {
    const notes = [...(unknown.length > 0 ? [`known after ${unknown.join(', ')}`] : []), ...(oneWay ? ['one-way'] : [])]
    return [
      `  ${sign[change.action]} ${id}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}`,
      ...(unknown.length > 0 ? [] : [`      ${change.summary}`]),
      ...(change.details ?? []).flatMap(it => [
        `      ${sign[it.action]} ${it.name}`,
        ...(diff && it.diff ? indent(it.diff) : []),
      ]),
    ]
  })
}

const indent = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => `          ${line}`)
