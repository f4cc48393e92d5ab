import type { Pods } from '../../ports.ts'
import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import { restartPolicyOf } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { podStatus } from './pod-status.ts'
import { writeStatus } from './write-status.ts'

/** What the kubelet remembers of a container; dueAt: when one that has ended runs again, epoch ms. */
export type Turn = {
  isReady: boolean
  /** Its startup probe, where it has one, has succeeded. */
  hasStarted: boolean
  failures: number
  dueAt: number | undefined
  mustRestart: boolean
}
export const firstTurn = (): Turn => ({
  ...{ isReady: false, hasStarted: false },
  ...{ failures: 0, dueAt: undefined, mustRestart: false },
})

type Turns = { containers: ReadonlyMap<string, Turn> }
type Seen = NonNullable<Awaited<ReturnType<Pods['state']>>>
type Parts = { api: Api; pods: Pods; record: Record; pace: { backoff: number; maxBackoff: number } }

/** Restarts containers that have ended: the first time at once, then after a wait that doubles each time. */
export const createRestarts = ({ api, pods, record, pace }: Parts) => {
  /** Whether a container is to run again now. One that has just ended is written down, and when it is due. */
  const isDue = (it: Turns, pod: Obj, container: Loose, seen: Seen): boolean => {
    const { name } = container
    const mine = it.containers.get(name)!
    if (mine.mustRestart) return true
    const state = seen.containers[name]
    if (!state) return false
    if (state.exitCode === null) {
      if (Date.now() - Date.parse(state.startedAt) > 10 * pace.maxBackoff) mine.failures = 0
      return false
    }
    const restartPolicy = restartPolicyOf(pod, container)
    if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && state.exitCode === 0)) return false
    if (mine.dueAt === undefined) {
      const wait = mine.failures === 0 ? 0 : Math.min(pace.maxBackoff, pace.backoff * 2 ** (mine.failures - 1))
      mine.failures++
      // Written down as ended before it counts as waiting, so that lastState has the exit code.
      writeStatus(api, pod, podStatus(pod, it, seen))
      mine.dueAt = Date.now() + wait
      if (wait > 0) record(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${name}`)
    }
    return mine.dueAt <= Date.now()
  }

  /** From the status as it is now: another container may have been counted since `pod` was read. */
  const count = (pod: Obj, name: string, exitCode: number) =>
    writeStatus(api, pod, status => {
      const counted = (list: Loose[]) => list.map(its => (its.name === name ? countedUp(its, exitCode) : its))
      const lists = ['initContainerStatuses', 'containerStatuses'].filter(it => status[it])
      return Object.fromEntries(lists.map(it => [it, counted(status[it])]))
    })

  return {
    count,
    /** Restarts a container when that is due; answers whether it did. */
    async mend(it: Turns, pod: Obj, container: Loose, seen: Seen): Promise<boolean> {
      if (!isDue(it, pod, container, seen)) return false
      const { name } = container
      Object.assign(it.containers.get(name)!, { mustRestart: false, dueAt: undefined })
      await pods.restart(pod.metadata.uid, name)
      count(pod, name, seen.containers[name]?.exitCode ?? 137)
      return true
    },
  }
}

const countedUp = (status: Loose, exitCode: number): Loose => {
  const last = status.state?.terminated ?? status.lastState?.terminated
  return {
    ...status,
    restartCount: status.restartCount + 1,
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: { terminated: last ?? { exitCode, reason: 'Error' } },
  }
}
