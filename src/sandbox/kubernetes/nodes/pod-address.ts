import type { Api } from '../api/api.ts'
import type { NodeIndex } from '../controllers/node-index.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { nextFree } from './addresses.ts'
import { writeStatus } from './write-status.ts'

/** Gives pods addresses of their node's range, the next one each time, so that one just freed is not used again. */
export const createAddresses = (store: Store, api: Api, index: NodeIndex) => {
  const last = new Map<string, string>()
  /** The pod with an address; undefined while its node has no range. Throws when the range is used up. */
  return (pod: Obj): Obj | undefined => {
    if (pod.status.podIP) return pod
    const node = store.get(kind('Node'), undefined, pod.spec.nodeName)
    if (!node?.spec?.podCIDR) return undefined
    const ip = nextFree(node.spec.podCIDR, index.addresses, last.get(node.metadata.name))
    if (!ip) throw new Error(`no address is left on ${node.metadata.name}`)
    last.set(node.metadata.name, ip)
    const hostIP = node.status.addresses.find((it: Loose) => it.type === 'InternalIP')?.address
    return writeStatus(api, pod, {
      podIP: ip,
      podIPs: [{ ip }],
      hostIP,
      hostIPs: [{ ip: hostIP }],
      startTime: pod.metadata.creationTimestamp,
    })
  }
}
