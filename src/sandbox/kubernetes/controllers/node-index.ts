import type { Obj } from '../objects/object.ts'
import { isActive, keyOf } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { askedBy } from './quotas.ts'

/** What pods ask for together: how many there are, cores, bytes. */
export type Room = { pods: number; cpu: number; memory: number }

export const roomOf = (pod: Obj): Room => ({
  pods: 1,
  cpu: askedBy(pod, 'requests.cpu'),
  memory: askedBy(pod, 'requests.memory'),
})

const none: Room = { pods: 0, cpu: 0, memory: 0 }

/** Which addresses are taken and what the pods of each node ask for, kept by the events so that nobody counts all pods. */
export const createNodeIndex = (store: Store) => {
  const pods = kind('Pod')
  const addresses = new Set<string>()
  const loads = new Map<string, Room>()
  const pending = new Set<string>()

  const count = (pod: Obj | undefined, by: 1 | -1) => {
    if (!pod) return
    const { nodeName } = pod.spec
    if (!nodeName || !isActive(pod)) return
    const [has, more] = [loads.get(nodeName) ?? none, roomOf(pod)]
    const added = (name: keyof Room) => has[name] + by * more[name]
    loads.set(nodeName, { pods: added('pods'), cpu: added('cpu'), memory: added('memory') })
  }
  for (const pod of store.list(pods)) {
    count(pod, 1)
    if (pod.status?.podIP) addresses.add(pod.status.podIP)
    if (!pod.spec.nodeName) pending.add(keyOf(pod))
  }
  store.listen(({ of, type, object, before }) => {
    if (of !== pods) return
    count(before, -1)
    if (before?.status?.podIP) addresses.delete(before.status.podIP)
    pending.delete(keyOf(object))
    if (type === 'DELETED') return
    if (!object.spec.nodeName && isActive(object)) pending.add(keyOf(object))
    count(object, 1)
    if (object.status?.podIP) addresses.add(object.status.podIP)
  })
  return { addresses, pending, load: (node: string): Room => loads.get(node) ?? none }
}

export type NodeIndex = ReturnType<typeof createNodeIndex>
