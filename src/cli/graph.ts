import type { Desired } from '../engine/desired.ts'
import { refsIn } from '../engine/refs.ts'

export type Group = { name: string; desired: readonly Desired[] }

/**
 * Resources as Mermaid, a node a kind: a full arrow hands a value on, a dashed one is order alone. A double frame is
 * what others live in.
 */
export const mermaid = (groups: readonly Group[]): string => {
  const all = groups.flatMap(it => it.desired)
  const kindOf = new Map(all.map(it => [it.id, it.kind.name]))
  const full = edges(all, kindOf, it => refsIn(it.want))
  const dashed = edges(all, kindOf, it => it.after).filter(it => !full.includes(it))
  const boxes = groups.flatMap(({ name, desired }) => [
    `  subgraph stage_${name}["stage ${name}"]`,
    ...[...Map.groupBy(desired, it => it.kind.name).values()].map(node),
    '  end',
  ])
  const arrows = [...full.map(it => arrow(it, '-->')), ...dashed.map(it => arrow(it, '-.->'))]
  return ['```mermaid', 'flowchart LR', ...boxes, ...arrows, '```'].join('\n')
}

const node = (alike: readonly Desired[]): string => {
  const { name, holds } = alike[0]!.kind
  const label = alike.length > 1 ? `${name} ×${alike.length}` : name
  return `    ${idOf(name)}${holds ? `[["${label}"]]` : `["${label}"]`}`
}

const edges = (all: readonly Desired[], kindOf: Map<string, string>, parents: (it: Desired) => string[]): string[] => [
  ...new Set(
    all.flatMap(it => parents(it).flatMap(id => (kindOf.has(id) ? [`${kindOf.get(id)} ${it.kind.name}`] : []))),
  ),
]

/** A hyphen may be read as the start of an arrow, and a stage may have the name of a kind. */
const idOf = (kind: string): string => kind.replaceAll('-', '_')
const arrow = (edge: string, sign: string): string => `  ${edge.split(' ').map(idOf).join(` ${sign} `)}`
