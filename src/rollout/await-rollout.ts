import { setTimeout as delay } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { eyesOn } from './eyes.ts'
import type { Kube } from './kube/kube.ts'
import { lastWords } from './last-words.ts'
import { type Baseline, type RolloutState, rolloutState } from './rollout-state.ts'
import { asArgument } from './workload.ts'
import { readRollout, type WorkloadAt } from './workloads/read.ts'

/**
 * Waits until a workload's template has reached every pod that it will and the old ones are gone. Looks anew each time.
 * A pod that crashes ends it at once, with its exit code and last words in the Problem.
 */
export const awaitRollout = async (
  kube: Kube,
  at: WorkloadAt,
  report: Report,
  { baseline = new Map(), seconds = 300 }: { baseline?: Baseline; seconds?: number } = {},
): Promise<void> => {
  const { kind, namespace, name } = at
  const id = `${kind} ${namespace}/${name}`
  const start = performance.now()
  const eyes = eyesOn(kube, at)
  try {
    while (true) {
      eyes.clear()
      const began = performance.now()
      const rollout = await readRollout(kube, at)
      if (!rollout) throw gone(id)
      const state = rolloutState(rollout, baseline)
      if (state.state === 'done') return
      if (state.state === 'crashed') throw await crashed(kube, namespace, id, state)
      if (state.state === 'stuck') {
        throw new Problem(`${id}: the rollout does not go on`, {
          why: state.why,
          next: `kubectl -n ${namespace} rollout status ${asArgument(at)}`,
        })
      }
      report.waiting(`${id}: ${state.what}`)
      if (performance.now() - start > seconds * 1000) {
        throw new Problem(`${id}: not rolled out within ${seconds} s`, {
          why: state.what,
          next: `kubectl -n ${namespace} describe ${asArgument(at)}`,
        })
      }
      const took = performance.now() - began
      await delay(clamp(took, LEAST_MS, RESYNC_MS), undefined, { signal: report.signal })
      const left = start + seconds * 1000 - performance.now()
      const again = clamp(10 * took, RESYNC_MS, MOST_MS)
      await eyes.next(Math.max(LEAST_MS, Math.min(left, again)), report.signal)
    }
  } finally {
    eyes.close()
  }
}

/** A rollout tells of itself in bursts: one look answers several. A busy API gets as long as it took to answer. */
const LEAST_MS = 50
/** A watch may be silent, or refused: this often is looked anyway, less often where many wait for an answer. */
const RESYNC_MS = 3000
const MOST_MS = 10_000

const clamp = (it: number, least: number, most: number): number => Math.min(Math.max(it, least), most)

const gone = (id: string) =>
  new Problem(`${id}: it went away while it was rolled out`, {
    why: 'somebody deleted it',
    next: 'make it again or take it out of the inventory, then run again',
  })

const crashed = async (
  kube: Kube,
  namespace: string,
  id: string,
  { pod, container, exitCode, restarts, reason }: Extract<RolloutState, { state: 'crashed' }>,
): Promise<Problem> => {
  const ended = exitCode === null ? reason : `exit code ${exitCode}`
  const last = await lastWords(kube, namespace, pod, container)
  return new Problem(`${id}: its new pods crash`, {
    why: `${pod}, container ${container}: ${ended} after ${restarts} restarts${last ? `; last lines: ${last}` : ''}`,
    next: `kubectl -n ${namespace} logs ${pod} -c ${container} --previous`,
  })
}
