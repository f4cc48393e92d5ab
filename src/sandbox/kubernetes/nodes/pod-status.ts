import { initOf, isSidecar, restartPolicyOf } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { withCondition } from '../objects/object.ts'
import { type Known, type Seen, statusesOf, type Waiting } from './container-status.ts'

/** A pod's status as far as its containers say it. `waiting`: why none was started. */
export const podStatus = (pod: Obj, known: Known, seen: Seen, waiting?: Waiting): Loose => {
  const init = statusesOf(initOf(pod), pod, known, seen, waiting)
  const statuses = statusesOf(pod.spec.containers, pod, known, seen, waiting)
  const phase = phaseOf(pod, init, statuses)
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const undone = init.filter((it, at) => !(isSidecar(initOf(pod)[at]!) ? it.started : it.ready))
  const unready = [...init.filter((_, at) => isSidecar(initOf(pod)[at]!)), ...statuses].filter(it => !it.ready)
  const namesOf = (these: Loose[]) => `[${these.map(it => it.name).join(' ')}]`
  const notReady = isOver
    ? { reason: 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: ${namesOf(unready)}` }
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${namesOf(undone)}`,
  }
  let { conditions } = pod.status ?? {}
  const say = (type: string, isTrue: boolean, why: Loose) => {
    conditions = withCondition(conditions, { type, status: isTrue ? 'True' : 'False', ...(!isTrue && why) })
  }
  say('Initialized', undone.length === 0 || statuses.some(hasRun), notInitialized)
  for (const type of ['Ready', 'ContainersReady']) say(type, unready.length === 0, notReady)
  return { phase, ...(init.length > 0 && { initContainerStatuses: init }), containerStatuses: statuses, conditions }
}

const hasRun = (it: Loose): boolean =>
  !!it.state.running || !!it.state.terminated || it.restartCount > 0 || !!it.lastState.terminated

/** Sidecars keep no pod from ending. */
const phaseOf = (pod: Obj, init: Loose[], statuses: Loose[]): string => {
  const failed = (it: Loose) => it.state.terminated && it.state.terminated.exitCode !== 0
  const staysFailed = (it: Loose, at: number) => restartPolicyOf(pod, initOf(pod)[at]!) === 'Never' && failed(it)
  if (init.some(staysFailed)) return 'Failed'
  const ended = statuses.filter(it => it.state.terminated)
  if (ended.length === statuses.length && staysEnded(pod, ended)) return ended.some(failed) ? 'Failed' : 'Succeeded'
  return statuses.some(hasRun) ? 'Running' : 'Pending'
}

const staysEnded = ({ spec }: Obj, ended: Loose[]): boolean =>
  spec.restartPolicy === 'Never' ||
  (spec.restartPolicy === 'OnFailure' && ended.every(it => it.state.terminated.exitCode === 0))
