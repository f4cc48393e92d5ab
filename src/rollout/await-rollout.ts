import { setTimeout as delay } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Kube } from './kube.ts'
import { lastWords } from './last-words.ts'
import { type Baseline, type RolloutState, rolloutState } from './rollout-state.ts'
import { readRollout } from './workload.ts'

/**
 * Waits until a Deployment's template has reached every pod and the old pods are gone. Looks anew each time.
 * A pod that crashes ends it at once, with its exit code and last words in the Problem.
 */
export const awaitRollout = async (
  kube: Kube,
  { namespace, name }: { namespace: string; name: string },
  report: Report,
  { baseline = new Map(), seconds = 300 }: { baseline?: Baseline; seconds?: number } = {},
): Promise<void> => {
  const id = `Deployment ${namespace}/${name}`
  const start = Date.now()
  for (let pause = 50; ; pause = Math.min(pause * 1.4, 1000)) {
    const rollout = await readRollout(kube, namespace, name)
    if (!rollout) throw gone(id)
    const state = rolloutState(rollout, baseline)
    if (state.state === 'done') return
    if (state.state === 'crashed') throw await crashed(kube, namespace, id, state)
    if (state.state === 'stuck') {
      throw new Problem(`${id}: the rollout does not go on`, {
        why: state.why,
        next: `kubectl -n ${namespace} rollout status deployment/${name}`,
      })
    }
    report.waiting(`${id}: ${state.what}`)
    if (Date.now() - start > seconds * 1000) {
      throw new Problem(`${id}: not rolled out within ${seconds} s`, {
        why: state.what,
        next: `kubectl -n ${namespace} describe deployment/${name}`,
      })
    }
    await delay(pause, undefined, { signal: report.signal })
  }
}

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
