import type { CriticalPath } from '../engine/critical-path.ts'
import type { Json } from '../engine/json.ts'
import type { Detail } from '../engine/kind.ts'
import type { Seen } from '../engine/plan.ts'
import { refLeaves } from '../engine/refs.ts'
import { replacementsIn } from '../engine/replacement.ts'
import type { Step } from '../engine/step.ts'
import { sign } from './plain.ts'
import { wrap } from './wrap.ts'

export type PlanView = {
  /** Show contents, and what a new thing is made of. */
  diff?: boolean
  /** Everything the plan knows, where that is more than what is shown. */
  all?: ReadonlyMap<string, Seen>
  /** Ids that the inventory protects. */
  protectedIds?: ReadonlySet<string>
}

/** A plan as a person reads it, 80 columns wide: what will change, how, and what hangs on it. Empty: nothing to do. */
export const planText = (seen: Iterable<Seen>, view: PlanView = {}): string[] => {
  const shown = [...seen]
  const { all = new Map(shown.map(it => [it.desired.id, it])) } = view
  const hangs = new Map(replacementsIn(all).map(it => [it.id, it]))
  return shown.flatMap(({ step, desired }) => {
    if (!step) return []
    const { id, change, oneWay } = step
    const replaced = change.action === 'replace'
    const refused = replaced && view.protectedIds?.has(id) === true
    const notes = [...(oneWay || replaced ? ['one-way'] : []), ...(refused ? ['protected: deploy will refuse'] : [])]
    const { takesDown = [], affects = [] } = hangs.get(id) ?? {}
    const after = affects.filter(it => !takesDown.includes(it))
    return [
      `  ${sign[change.action]} ${id}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}`,
      ...wrap('      ', change.summary),
      ...(change.details ?? []).flatMap(it => detailLines(it, view.diff === true)),
      ...(view.diff && change.action === 'create' && !desired.kind.looksThroughParents ? madeOf(step) : []),
      ...(change.action === 'delete' ? [] : knownAfter(step)),
      ...(change.why ? wrap('      why   ', change.why) : []),
      ...(takesDown.length > 0
        ? wrap('      down  ', `taken down before, made again after: ${takesDown.join(', ')}`)
        : []),
      ...(after.length > 0 ? wrap('      then  ', `${goes(hangs.get(id)?.holds)}: ${after.join(', ')}`) : []),
    ]
  })
}

const goes = (holds = false) => (holds ? 'goes with it and is made again' : 'looked at again with the new one')

/** How long it takes and why: one sentence. Empty: at once. */
export const durationText = ({ seconds, path }: CriticalPath): string[] =>
  seconds < 1
    ? []
    : wrap('takes ', `about ${roundly(seconds)} (${path.map(it => (it.down ? `${it.id} down` : it.id)).join(' -> ')})`)

export const roundly = (seconds: number): string =>
  seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`

/** A short difference is told in its line, a long one (a file) only with `diff`. */
const detailLines = ({ name, action, diff }: Detail, whole: boolean): string[] => {
  const short = diff !== undefined && !diff.trimEnd().includes('\n') && diff.startsWith(`${name}: `)
  if (short) return wrap(`      ${sign[action]} `, diff)
  return [`      ${sign[action]} ${name}`, ...(whole && diff ? indent(diff) : [])]
}

/** The values that others give, and who gives them. */
const knownAfter = ({ want, unknown }: Step): string[] =>
  refLeaves(want).flatMap(it => (unknown.includes(it.id) ? [`      ${it.path}  (known after ${it.id})`] : []))

const madeOf = ({ want }: Step): string[] =>
  leavesOf(want, '').flatMap(([path, value]) =>
    path === '' ? [] : [`      + ${path}: ${cut(value, 72 - path.length)}`],
  )

/** Refs are left out: they are told by who gives them. */
const leavesOf = (it: Json | undefined, path: string): [path: string, value: string][] => {
  if (it === undefined || (typeof it === 'object' && it !== null && '$ref' in it)) return []
  if (typeof it !== 'object' || it === null) return [[path, String(it)]]
  if (Array.isArray(it) && it.every(one => typeof one !== 'object')) return [[path, it.join(', ')]]
  return Object.entries(it).flatMap(([key, one]) => leavesOf(one, path ? `${path}.${key}` : key))
}

const cut = (text: string, most: number) => {
  const [line = ''] = text.split('\n')
  const short = line.length > Math.max(most, 16) ? `${line.slice(0, Math.max(most, 16) - 1)}…` : line
  return short === text.trimEnd() || short.endsWith('…') ? short : `${short} …`
}

const indent = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => `          ${line}`)
