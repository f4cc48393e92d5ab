import { isMap, isScalar, LineCounter, parseDocument, visit, type Document as Yaml } from 'yaml'
import { Problem } from '../engine/problem.ts'

export type Path = readonly PropertyKey[]

/** One YAML file, and where in it everything stands. */
export type Document = {
  file: string
  value: unknown
  problems: Problem[]
  /** A Problem at a path (the nearest that exists), with file, line and column. */
  problem(path: Path, what: string, why: string, next: string): Problem
  /** The same, at a key instead of its value. */
  keyProblem(path: Path, what: string, why: string, next: string): Problem
}

export const readDocument = (file: string, text: string): Document => {
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const make = (offset: number, what: string, why: string, next: string) => {
    const { line, col: column } = lines.linePos(offset)
    return new Problem(`${file}:${line}:${column}: ${what}`, { why, next, exit: 2, at: { file, line, column } })
  }
  const pairAt = (path: Path) => {
    const parent = path.length === 1 ? yaml.contents : yaml.getIn(path.slice(0, -1), true)
    if (!isMap(parent)) return undefined
    return parent.items.find(it => isScalar(it.key) && it.key.value === path.at(-1))
  }
  const keyOffset = (path: Path) => rangeOf(pairAt(path)?.key)
  const valueOffset = (path: Path) => rangeOf(yaml.getIn(path, true))
  // What is missing has no place: its parent has.
  const offsetOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const part = path.slice(0, length)
      const found = valueOffset(part) ?? keyOffset(part)
      if (found !== undefined) return found
    }
    return 0
  }
  // A warning is a tag that nobody here knows: its value would be taken for something else.
  const problems = [...yaml.errors, ...yaml.warnings].map(it =>
    make(it.pos[0], `this is not YAML that can be read: ${it.message}`, it.code, 'correct the line'),
  )
  const endless = problems.length === 0 && text.includes('*') ? aliasOfItself(yaml) : undefined
  if (endless !== undefined)
    problems.push(
      make(endless, 'this alias means something that it is a part of', 'it would never end', 'write it out'),
    )
  let value: unknown
  try {
    value = problems.length > 0 ? undefined : yaml.toJS()
  } catch (error) {
    // Aliases are followed only here: one without an anchor, or a file that would unfold without end.
    const why = error instanceof Error ? error.message : String(error)
    problems.push(make(0, 'an alias of this file cannot be followed', why, 'write the value out instead'))
  }
  return {
    file,
    value,
    problems,
    problem: (path, what, why, next) => make(offsetOf(path), what, why, next),
    keyProblem: (path, what, why, next) => make(keyOffset(path) ?? offsetOf(path), what, why, next),
  }
}

/** Where an alias stands inside what it names; undefined: none does. */
const aliasOfItself = (yaml: Yaml.Parsed): number | undefined => {
  let found: number | undefined
  visit(yaml, {
    Alias(_, it, above) {
      const named = above.findLast(one => 'anchor' in one && one.anchor === it.source)
      if (!named || named !== it.resolve(yaml)) return undefined
      found = it.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return found
}

const rangeOf = (node: unknown): number | undefined =>
  (node as { range?: [number, number, number] | null } | null | undefined)?.range?.[0]
