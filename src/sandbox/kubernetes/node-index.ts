import type { Obj } from './object.ts'
import { isActive } from './object.ts'
import { kind } from './resources.ts'
import type { Store } from './store.ts'

/** Which addresses are taken and how many pods each node has, kept by the events so that nobody counts all pods. */
export const createNodeIndex = (store: Store) => {
  const pods = kind('Pod')
  const addresses = new Set<string>()
  const loads = new Map<string, number>()

  const count = (pod: Obj | undefined, by: 1 | -1) => {
    if (!pod) return
    const { nodeName } = pod.spec
    if (nodeName && isActive(pod)) loads.set(nodeName, (loads.get(nodeName) ?? 0) + by)
  }
  for (const pod of store.list(pods)) {
    count(pod, 1)
    if (pod.status?.podIP) addresses.add(pod.status.podIP)
  }
  store.listen(({ of, type, object, before }) => {
    if (of !== pods) return
    count(before, -1)
    if (before?.status?.podIP) addresses.delete(before.status.podIP)
    if (type === 'DELETED') return
    count(object, 1)
    if (object.status?.podIP) addresses.add(object.status.podIP)
  })
  return { addresses, load: (node: string): number => loads.get(node) ?? 0 }
}

export type NodeIndex = ReturnType<typeof createNodeIndex>
