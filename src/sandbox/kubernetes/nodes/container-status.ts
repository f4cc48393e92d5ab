import type { Pods } from '../../ports.ts'
import { initOf, turnOf } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { now } from '../objects/object.ts'

export type Seen = Awaited<ReturnType<Pods['state']>>
export type Known = {
  containers: ReadonlyMap<string, { isReady: boolean; hasStarted: boolean; dueAt: number | undefined }>
}
export type Waiting = { reason: string; message?: string }

/** The statuses of containers from what was seen of their processes; `waiting`: why none was started. */
export const statusesOf = (containers: Loose[], pod: Obj, known: Known, seen: Seen, waiting?: Waiting): Loose[] =>
  containers.map((container: Loose) => {
    const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    const before = all.find((it: Loose) => it.name === container.name)
    const mine = known.containers.get(container.name)!
    const own = seen?.containers[container.name]
    const because = waiting ?? (initOf(pod).length > 0 ? { reason: 'PodInitializing' } : undefined)
    const state = stateOf(own, before, pod, container.name, mine.dueAt, because)
    const isRunning = state.running !== undefined
    const isFirst = turnOf(pod, container) === 'init'
    return {
      name: container.name,
      image: container.image,
      imageID: '',
      ready: isFirst ? state.terminated?.exitCode === 0 : isRunning && mine.isReady,
      started: isRunning && mine.hasStarted,
      restartCount: before?.restartCount ?? 0,
      state,
      lastState: lastState(before, state),
      ...(own
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
  return { terminated: before?.state?.terminated ?? ended(seen.exitCode, startedAt) }
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
