import type { Pods } from '../../ports.ts'
import type { Loose, Obj } from './object.ts'

type Seen = NonNullable<Awaited<ReturnType<Pods['state']>>>
type Turn = { hasStarted: boolean }

export const initOf = ({ spec }: Obj): Loose[] => spec.initContainers ?? []

/** One that comes before the others and stays. @see Kubernetes, Sidecar Containers */
export const isSidecar = ({ restartPolicy }: Loose): boolean => restartPolicy === 'Always'

/** When a container's turn is; undefined: the pod has no init containers, and all begin at once. */
export const turnOf = (pod: Obj, container: Loose): 'init' | 'sidecar' | 'after' | undefined => {
  if (initOf(pod).length === 0) return undefined
  if (!initOf(pod).some(it => it.name === container.name)) return 'after'
  return isSidecar(container) ? 'sidecar' : 'init'
}

/**
 * The containers whose turn has come. Init containers go one after the other: the next when one has ended well, or, of a
 * sidecar, has started; then all others at once. Once these were begun a sidecar that starts again holds up nothing.
 */
export const admitted = (pod: Obj, containers: ReadonlyMap<string, Turn>, seen: Seen): Loose[] => {
  const init = initOf(pod)
  const all = [...init, ...pod.spec.containers]
  if (pod.spec.containers.some((it: Loose) => seen.containers[it.name])) return all
  const holdsUp = init.findIndex(it =>
    isSidecar(it) ? !containers.get(it.name)?.hasStarted : seen.containers[it.name]?.exitCode !== 0,
  )
  return holdsUp < 0 ? all : init.slice(0, holdsUp + 1)
}

/** As the API server says it of one container; a container of its own word goes before the pod's. */
export const restartPolicyOf = (pod: Obj, container: Loose): 'Always' | 'OnFailure' | 'Never' => {
  const turn = turnOf(pod, container)
  if (turn === 'sidecar') return 'Always'
  if (turn === 'init' && pod.spec.restartPolicy === 'Always') return 'OnFailure'
  return pod.spec.restartPolicy
}
