import { word } from '../engine/desired.ts'
import { type Json, sameJson } from '../engine/json.ts'
import type { Kind } from '../engine/kind.ts'
import { MANAGER } from './kube/kube.ts'
import { idOf, isObject, type KubeObject } from './kube/object.ts'
import { KubeProblem } from './kube/problem.ts'
import { type Clients, type Live, manifestKind, type Want } from './manifest.ts'

/**
 * A slice of endpoints whose addresses are ours and whose readiness somebody else keeps. The API knows the list only as
 * one field, so who changes a condition owns the addresses: ours are taken back by force, with the conditions as they are.
 */
export const endpointSliceKind: Kind<Want, Live, Clients> = {
  ...manifestKind,
  name: 'kube-endpoint-slice',
  diff: (want, live) => manifestKind.diff({ ...want, object: keeping(want.object, live?.object) }, live),
  async apply(want, clients, _live, report) {
    await put(want, clients)
    const now = await manifestKind.read(want, clients, report)
    if (!now) throw new Error(`${idOf(want.object).name} went while it was made`)
    return now
  },
  async undo(want, clients, before, now, report) {
    if (!before) return manifestKind.undo?.(want, clients, before, now, report)
    const live = await manifestKind.read(want, clients, report)
    if (live && live.uid === (now ?? before).uid) await put({ ...want, object: addressesOf(before.object) }, clients)
  },
}

/** `endpointSlice('client-a-demo/egress-proxy', { kubeconfig, object })` */
export const endpointSlice = word(endpointSliceKind)

const put = async ({ kubeconfig, object, manager = MANAGER }: Want, { kube }: Clients): Promise<void> => {
  const cluster = kube(kubeconfig)
  for (let attempt = 1; ; attempt++) {
    const live = await cluster.get(idOf(object))
    // The version makes the force hold for exactly the conditions that were looked at.
    const version = live?.metadata.resourceVersion
    const exact = { ...object.metadata, ...(version && { resourceVersion: version }) }
    try {
      await cluster.apply({ ...keeping(object, live ?? undefined), metadata: exact }, { manager, force: true })
      return
    } catch (moved) {
      if (!(moved instanceof KubeProblem) || moved.status !== 409 || attempt > 9) throw moved
    }
  }
}

/** The wanted addresses, each in the condition it is in. */
const keeping = (object: KubeObject, live: KubeObject | undefined): KubeObject => ({
  ...object,
  endpoints: endpointsOf(object).map(it => {
    const known = endpointsOf(live).find(other => sameJson(other.addresses ?? null, it.addresses ?? null))
    return known ? { ...it, conditions: known.conditions ?? {} } : it
  }),
})

const endpointsOf = (object: KubeObject | undefined): { [key: string]: Json | undefined }[] =>
  Array.isArray(object?.endpoints) ? object.endpoints.filter(isObject) : []

const addressesOf = ({ apiVersion, kind, metadata, addressType, ports, endpoints }: KubeObject): KubeObject => ({
  ...{ apiVersion, kind, metadata },
  ...{ addressType: addressType ?? 'IPv4', ports: ports ?? [], endpoints: endpoints ?? [] },
})
