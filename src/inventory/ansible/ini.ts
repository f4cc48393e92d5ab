import { Problem } from '../../engine/problem.ts'
import { hostsNamed } from './hostnames.ts'
import { literal } from './literal.ts'
import { groupIn, holds, hostIn, type Tree } from './tree.ts'
import { wordsOf } from './words.ts'

/** An INI inventory, put into a tree. Throws a Problem with file and line. */
export const readIni = (tree: Tree, file: string, text: string): void => {
  let section = 'ungrouped'
  let kind = 'hosts'
  /** Groups that were only named: their own section must come, before or after. */
  const promised = new Map<string, { line: number; by: string }>()
  const declared = new Set(['all', 'ungrouped', ...tree.groups.keys()])
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    const fail = (why: string) => mistake(file, at + 1, line, why)
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line)
    if (header) {
      section = header[1]!
      kind = header[2] ?? 'hosts'
      if (!['hosts', 'children', 'vars'].includes(kind))
        throw fail(`[${section}:${kind}] can only be :children or :vars`)
      if (kind === 'vars') {
        if (!declared.has(section)) promised.set(section, { line: at + 1, by: `[${section}:vars]` })
      } else declared.add(section)
      groupIn(tree, section)
      continue
    }
    try {
      if (kind === 'hosts') hostLine(tree, section, line)
      else if (kind === 'vars') {
        const equals = line.indexOf('=')
        if (equals < 1) throw new Error('a variable is written name=value')
        groupIn(tree, section).vars[line.slice(0, equals).trim()] = literal(line.slice(equals + 1).trim())
      } else {
        const child = line.split('#')[0]!.trim()
        if (holds(tree, child, section)) throw new Error(`${child} is above ${section} already`)
        groupIn(tree, child)
        groupIn(tree, section).children.add(child)
        if (!declared.has(child)) promised.set(child, { line: at + 1, by: `[${section}:children]` })
      }
    } catch (error) {
      throw error instanceof Problem ? error : fail((error as Error).message)
    }
  }
  for (const [name, { line, by }] of promised)
    if (!declared.has(name)) throw mistake(file, line, name, `${by} means a group that has no section [${name}]`)
}

const hostLine = (tree: Tree, section: string, line: string) => {
  const [pattern, ...assignments] = wordsOf(line)
  if (pattern === undefined) return
  const { names, port } = hostsNamed(pattern)
  const vars = assignments.map(it => {
    const equals = it.indexOf('=')
    if (equals < 1) throw new Error(`${it} is no name=value`)
    return [it.slice(0, equals), literal(it.slice(equals + 1))] as const
  })
  for (const name of names) {
    groupIn(tree, section).hosts.add(name)
    Object.assign(hostIn(tree, name), port !== undefined && { ansible_port: port }, Object.fromEntries(vars))
  }
}

const mistake = (file: string, line: number, text: string, why: string) =>
  new Problem(`${file}:${line}: ${text.slice(0, 60)} cannot be read as an inventory`, {
    why,
    next: 'correct the line; nothing was touched',
    exit: 2,
    at: { file, line, column: 1 },
  })
