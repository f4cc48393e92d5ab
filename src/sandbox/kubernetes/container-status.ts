import type { Pods } from '../ports.ts'
import type { Loose, Obj } from './object.ts'
import { now, withCondition } from './object.ts'

type Seen = Awaited<ReturnType<Pods['state']>>
type Known = { containers: ReadonlyMap<string, { isReady: boolean; dueAt: number | undefined }> }
type Waiting = { reason: string; message?: string }

/** The statuses of a pod's containers from what was seen of their processes; `waiting`: why none was started. */
export const containerStatuses = (pod: Obj, known: Known, seen: Seen, waiting?: Waiting): Loose[] =>
  pod.spec.containers.map((container: Loose) => {
    const before = pod.status?.containerStatuses?.find((it: Loose) => it.name === container.name)
    const mine = known.containers.get(container.name)!
    const state = stateOf(seen?.containers[container.name], before, pod, container.name, mine.dueAt, waiting)
    const isRunning = state.running !== undefined
    return {
      name: container.name,
      image: container.image,
      imageID: '',
      ready: isRunning && mine.isReady,
      started: isRunning,
      restartCount: before?.restartCount ?? 0,
      state,
      lastState: lastState(before, state),
      ...(seen
        ? { containerID: `netns://${pod.metadata.uid}/${container.name}` }
        : before?.containerID && { containerID: before.containerID }),
    }
  })

const stateOf = (
  seen: { exitCode: number | null; startedAt: string } | undefined,
  before: Loose,
  pod: Obj,
  name: string,
  dueAt: number | undefined,
  waiting?: Waiting,
): Loose => {
  if (!seen) return { waiting: waiting ?? { reason: 'ContainerCreating' } }
  const startedAt = `${seen.startedAt.slice(0, 19).replace('Z', '')}Z`
  if (seen.exitCode === null) return { running: { startedAt } }
  const again = dueAt !== undefined
  if (again && dueAt > Date.now()) {
    const message = `back-off restarting failed container=${name} pod=${pod.metadata.name}_${pod.metadata.namespace}`
    return { waiting: { reason: 'CrashLoopBackOff', message } }
  }
  return before?.state?.terminated ?? { terminated: ended(seen.exitCode, startedAt) }
}

const ended = (exitCode: number, startedAt: string) => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt,
  finishedAt: now(),
})

/** A container that is up again, or waits to be, remembers how it ended. */
const lastState = (before: Loose, state: Loose): Loose => {
  if (state.terminated || !before) return before?.lastState ?? {}
  return before.state?.terminated ? { terminated: before.state.terminated } : (before.lastState ?? {})
}

/** Phase and conditions that follow from the containers. */
export const podStatus = (pod: Obj, statuses: Loose[]): Loose => {
  const isReady = statuses.every(it => it.ready)
  const ended = statuses.filter(it => it.state.terminated)
  const hasRun = statuses.some(it => it.state.running || it.restartCount > 0 || it.lastState.terminated)
  const isOver = ended.length === statuses.length && staysEnded(pod, ended)
  const failed = ended.some(it => it.state.terminated.exitCode !== 0)
  const phase = isOver ? (failed ? 'Failed' : 'Succeeded') : hasRun || ended.length > 0 ? 'Running' : 'Pending'
  const unready = statuses.filter(it => !it.ready).map(it => it.name)
  const why = isOver
    ? { reason: 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  let { conditions } = pod.status ?? {}
  for (const type of ['Initialized', 'Ready', 'ContainersReady']) {
    const isTrue = type === 'Initialized' || isReady
    conditions = withCondition(conditions, { type, status: isTrue ? 'True' : 'False', ...(!isTrue && why) })
  }
  return { phase, containerStatuses: statuses, conditions }
}

const staysEnded = ({ spec }: Obj, ended: Loose[]): boolean =>
  spec.restartPolicy === 'Never' ||
  (spec.restartPolicy === 'OnFailure' && ended.every(it => it.state.terminated.exitCode === 0))
