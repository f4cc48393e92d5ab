import type { Outcome } from '../engine/apply.ts'
import { textOf } from '../engine/apply.ts'
import { batchesOf, countOf } from '../engine/batches.ts'
import type { Seen } from '../engine/plan.ts'
import { Unreachable } from '../hosts/ssh-problems.ts'
import type { Context } from '../inventory/context.ts'

/** How many hosts are changed side by side, and how many may fail before no new batch starts. */
export const hostPolicy = ({ serial, maxFail }: Context['configure'], ids: readonly string[]) => ({
  batches: batchesOf(ids, serial === undefined ? [] : [serial].flat()),
  mayFail: countOf(maxFail, ids.length),
})

export type HostEnd = {
  status: 'changed' | 'ok' | 'would-change' | 'unreachable' | 'failed' | 'not-reached'
  why?: string
}

/** How each host ended, by name. One that did not answer is told apart from one that answered and failed. */
export const recapOf = ({ changes, failures, skipped }: Outcome): Record<string, HostEnd> => {
  const ends = [
    ...[...changes].map(([id, change]): [string, HostEnd] => [id, { status: change ? 'changed' : 'ok' }]),
    ...failures.map(({ step, error }): [string, HostEnd] => [step, failed(error)]),
    ...skipped.map((id): [string, HostEnd] => [id, { status: 'not-reached' }]),
  ]
  return Object.fromEntries(ends.map(([id, end]) => [nameOf(id), end]))
}

/** The same for `--check`: what would become of each host. */
export const foreseenOf = (pending: readonly Seen[]): Record<string, HostEnd> =>
  Object.fromEntries(
    pending
      .filter(({ desired }) => desired.kind.name === 'host-play')
      .map(({ desired, step, problem }): [string, HostEnd] => [
        nameOf(desired.id),
        problem ? failed(problem) : { status: step ? 'would-change' : 'ok' },
      ]),
  )

const failed = (error: unknown): HostEnd => ({
  status: error instanceof Unreachable ? 'unreachable' : 'failed',
  why: textOf(error),
})

export const nameOf = (id: string): string => id.slice(id.indexOf('/') + 1)
