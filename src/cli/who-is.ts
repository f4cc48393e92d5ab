import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { textOf } from '../engine/apply.ts'
import type { KubeObject } from '../rollout/kube/object.ts'
import type { Session } from './session.ts'

/** The node or pod that had an address at a time, as far as the cluster can tell today; null: it can't. */
export type WhoIs = (address: string, time: number) => string | null

const waitMs = 5000

/**
 * Asks the cluster once for its nodes and pods. Without a cluster, or when it does not answer in time, nobody is named:
 * the addresses are in the log. A pod that began after a request is not the one that made it.
 */
export const whoIs = async ({ context, state, clients, output }: Session): Promise<WhoIs> => {
  const own = join(state, 'kubeconfig')
  const path = context.cluster.kubeconfig ?? own
  if (path === own && !existsSync(own)) return () => null
  try {
    const kube = clients.kube(path)
    const late = sleep(waitMs, undefined, { ref: false }).then(() => {
      throw new Error(`it did not answer within ${waitMs / 1000} s`)
    })
    const lists = Promise.all([
      kube.list<Node>({ apiVersion: 'v1', kind: 'Node' }),
      kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }),
    ])
    const [nodes, pods] = await Promise.race([lists, late])
    return namesOf(nodes.items, pods.items)
  } catch (error) {
    output.say(`note: clients are told by address only, as the cluster could not be asked: ${textOf(error)}`)
    return () => null
  }
}

type Node = KubeObject & { status?: { addresses?: { type: string; address: string }[] } }
type Pod = KubeObject & {
  spec?: { hostNetwork?: boolean }
  status?: { podIPs?: { ip: string }[]; podIP?: string; startTime?: string }
}

export const namesOf = (nodes: readonly Node[], pods: readonly Pod[]): WhoIs => {
  const names = new Map<string, { name: string; since: number }[]>()
  const put = (address: string | undefined, name: string, since: number) => {
    if (address) names.set(address, [...(names.get(address) ?? []), { name, since }])
  }
  for (const { metadata, status } of nodes)
    for (const { type, address } of status?.addresses ?? [])
      if (type === 'InternalIP' || type === 'ExternalIP') put(address, metadata.name, 0)
  for (const { metadata, spec, status } of pods) {
    if (spec?.hostNetwork) continue
    const since = Date.parse(status?.startTime ?? '') || Number.POSITIVE_INFINITY
    const addresses = new Set([status?.podIP, ...(status?.podIPs ?? []).map(it => it.ip)])
    for (const address of addresses) put(address, `${metadata.namespace}/${metadata.name}`, since)
  }
  return (address, time) => {
    const then = (names.get(address) ?? []).filter(it => it.since <= time)
    return then.sort((a, b) => b.since - a.since)[0]?.name ?? null
  }
}
