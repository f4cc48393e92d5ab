import type { Problem } from '../engine/problem.ts'
import type { Document, Path } from './document.ts'

/** A mistake at a place of a file. */
export type Say = (path: Path, what: string, why: string, next: string) => void

/** Runs checks that say what they find; one that lacks a part has nothing to say. */
export const gather = (document: Document, check: (say: Say) => void): Problem[] => {
  const problems: Problem[] = []
  check((path, what, why, next) => problems.push(document.problem(path, what, why, next)))
  return problems
}
