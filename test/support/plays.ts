import type { Report } from '../../src/engine/kind.ts'
import { Problem } from '../../src/engine/problem.ts'
import type { FileTask } from '../../src/hosts/tasks/file.ts'

export const quiet: Report = { waiting: () => {}, progress: () => {}, signal: new AbortController().signal }

/** Writes down what it is told. */
export const heardBy = (parts: string[]): Report => ({ ...quiet, progress: part => void parts.push(part) })

export const file = (path: string, content: string, more: Partial<FileTask> = {}): FileTask => ({
  task: 'file',
  path,
  content,
  mode: '0600',
  owner: 'root',
  group: 'root',
  ...more,
})

/** The Problem that a run ends with; anything else it may end with is thrown. */
export const problem = async (run: Promise<unknown>): Promise<Problem> => {
  const thrown = await run.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (!(thrown instanceof Problem)) throw thrown
  return thrown
}
