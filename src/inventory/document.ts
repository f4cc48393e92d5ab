import { isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml'
import { Problem } from '../engine/problem.ts'

export type Path = readonly PropertyKey[]

/** One YAML file, and where in it everything stands. */
export type Document = {
  file: string
  value: unknown
  problems: Problem[]
  /** A Problem at a path (the nearest that exists), with file, line and column. */
  problem(path: Path, what: string, why: string, next: string): Problem
}

export const readDocument = (file: string, text: string): Document => {
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const make = (offset: number, what: string, why: string, next: string) =>
    new Problem(`${at(offset)}: ${what}`, { why, next, exit: 2 })
  const offsetOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const found = keyOffset(path.slice(0, length)) ?? valueOffset(path.slice(0, length))
      if (found !== undefined) return found
    }
    return 0
  }
  const valueOffset = (path: Path) =>
    (yaml.getIn(path, true) as { range?: [number, number, number] } | undefined)?.range?.[0]
  // An unknown key is where the key stands, not its value.
  const keyOffset = (path: Path) => {
    const last = path.at(-1)
    const parent = path.length === 1 ? yaml.contents : yaml.getIn(path.slice(0, -1), true)
    if (typeof last !== 'string' || !isMap(parent)) return undefined
    const pair = parent.items.find(it => isPair(it) && isScalar(it.key) && it.key.value === last)
    const scalar = pair && isScalar(pair.value) ? pair.value : undefined
    const key = pair && isScalar(pair.key) ? pair.key : undefined
    return (scalar?.range ?? key?.range)?.[0]
  }
  const problems = yaml.errors.map(it =>
    make(it.pos[0], `this is not YAML that can be read: ${it.message}`, it.code, 'correct the line'),
  )
  return {
    file,
    value: problems.length > 0 ? undefined : yaml.toJS(),
    problems,
    problem: (path, what, why, next) => make(offsetOf(path), what, why, next),
  }
}
