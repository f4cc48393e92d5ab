import { criticalPath } from '../engine/critical-path.ts'
import type { Desired } from '../engine/desired.ts'
import { graphOf } from '../engine/graph.ts'
import type { AnyKind } from '../engine/kind.ts'
import type { Seen } from '../engine/plan.ts'
import { roundly } from '../report/plan.ts'

const actions = ['create', 'update', 'replace', 'delete'] as const

/** What each kind says its actions usually take, as a Markdown table, and the longest way through a first deploy. */
export const timings = (desired: readonly Desired[]): string => {
  const kinds = [...new Set(desired.map(it => it.kind))].filter(it => it.takes)
  const rows = kinds.map(it => [`\`${it.name}\``, ...actions.map(action => cell(it, action))])
  const { seconds, path } = criticalPath(firstPlan(desired), new Set(desired.map(it => it.id)))
  return [
    ...[['', 'made', 'changed', 'made anew', 'gone'], ['---', '---', '---', '---', '---'], ...rows].map(
      it => `| ${it.join(' | ')} |`,
    ),
    '',
    `The longest way of a first deploy is ${path.map(it => `${it.id} (${it.seconds} s)`).join(', ')}:`,
    `about ${roundly(seconds)}.`,
  ].join('\n')
}

const cell = ({ takes }: AnyKind, action: (typeof actions)[number]): string => String(takes?.[action] ?? '')

/** Nothing stands yet: everything is made. */
const firstPlan = (desired: readonly Desired[]): Map<string, Seen> => {
  const { order, parents: parentsOf } = graphOf(desired)
  return new Map(
    order.map(it => {
      const { id, kind, want } = it
      const parents = parentsOf.get(id) ?? []
      const change = { action: 'create', summary: id } as const
      const step = { id, kind: kind.name, needs: parents, want, change, unknown: [], oneWay: kind.undo === undefined }
      return [id, { desired: it, parents, want, live: null, step }]
    }),
  )
}
