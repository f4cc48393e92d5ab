import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { site, stageNames } from '../../playbooks/site.ts'
import type { Desired } from '../engine/desired.ts'
import { refsIn } from '../engine/refs.ts'
import { loadContext } from '../inventory/load.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [begin, end] = ['<!-- graph: npm run graph writes what follows -->', '<!-- graph: end -->']

/** Resources as Mermaid, a node a kind: a full arrow hands a value on, a dashed one is order alone. */
export const mermaid = (groups: readonly { name: string; desired: readonly Desired[] }[]): string => {
  const all = groups.flatMap(it => it.desired)
  const kindOf = new Map(all.map(it => [it.id, it.kind.name]))
  const full = edges(all, kindOf, it => refsIn(it.want))
  const dashed = edges(all, kindOf, it => it.after).filter(it => !full.includes(it))
  const boxes = groups.flatMap(({ name, desired }) => [
    `  subgraph stage_${name}["stage ${name}"]`,
    ...counted(desired).map(([kind, count]) => `    ${idOf(kind)}["${kind}${count > 1 ? ` ×${count}` : ''}"]`),
    '  end',
  ])
  const arrows = [...full.map(it => arrow(it, '-->')), ...dashed.map(it => arrow(it, '-.->'))]
  return ['```mermaid', 'flowchart LR', ...boxes, ...arrows, '```'].join('\n')
}

const edges = (all: readonly Desired[], kindOf: Map<string, string>, parents: (it: Desired) => string[]): string[] => [
  ...new Set(
    all.flatMap(it => parents(it).flatMap(id => (kindOf.has(id) ? [`${kindOf.get(id)} ${it.kind.name}`] : []))),
  ),
]

const counted = (desired: readonly Desired[]): [string, number][] => {
  const counts = new Map<string, number>()
  for (const { kind } of desired) counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1)
  return [...counts]
}

/** A hyphen may be read as the start of an arrow, and a stage may have the name of a kind. */
const idOf = (kind: string): string => kind.replaceAll('-', '_')
const arrow = (edge: string, sign: string): string => `  ${edge.split(' ').map(idOf).join(` ${sign} `)}`

/** What the sandbox context has in the cloud, drawn. */
export const sandboxGraph = async (): Promise<string> => {
  const { stages, cloud } = site(await loadContext('sandbox', { root, env: {} }), {
    operatorKey: 'ssh-ed25519 AAAA',
    kubeconfig: 'kubeconfig',
  })
  const groups = stageNames.map(name => ({ name, desired: stages[name].filter(it => cloud.includes(it)) }))
  return mermaid(groups.filter(it => it.desired.length > 0))
}

export const page = join(root, 'docs', 'provisioning.md')

/** The page with its picture as the code has it. */
export const redrawn = (text: string, graph: string): string => {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the page has no place for the picture between ${begin} and ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${graph}\n\n${text.slice(to)}`
}

/** `npm run graph` */
if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(page, redrawn(readFileSync(page, 'utf8'), await sandboxGraph()))
