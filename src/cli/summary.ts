import type { Journal } from '../engine/journal.ts'
import type { Json } from '../engine/json.ts'
import { type ExitCode, Problem, Problems } from '../engine/problem.ts'
import type { Counts } from '../engine/step.ts'
import type { Output, Status } from './output.ts'

export const noChanges: Counts = { create: 0, update: 0, delete: 0, unchanged: 0 }

/** The last event of a run, and its exit code. */
export const finish = (
  { journal, output }: { journal: Journal; output: Output },
  {
    status,
    changes,
    outputs = {},
  }: { status: 'ok' | 'changes-pending'; changes: Counts; outputs?: { [key: string]: Json } },
): ExitCode => {
  journal.record({ event: 'run-ended', status })
  output.know({ changes, outputs })
  output.summarise(status)
  return status === 'changes-pending' ? 3 : 0
}

export const statusOf = (exit: ExitCode): Status =>
  exit === 5 ? 'rolled-back' : exit === 6 ? 'stuck' : exit === 130 ? 'interrupted' : 'failed'

/** The exit code an error ends a run with; a bug is a failure. */
export const exitOf = (error: unknown): ExitCode =>
  error instanceof Problem || error instanceof Problems ? error.exit : 1
