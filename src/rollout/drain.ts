import type { Kube } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import { drainMark, SERVICE } from './proxy-service.ts'

/** One proxy behind a Service, as the slice says. */
export type Behind = { address: string; ready: boolean; draining: boolean }

const idOf = (namespace: string) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  namespace,
  name: SERVICE,
})

/** Who is behind the Service of a tenant; null: it has none. */
export const behindService = async (kube: Kube, namespace: string): Promise<Behind[] | null> => {
  const slice = await kube.get<KubeObject>(idOf(namespace))
  if (!slice) return null
  const { annotations = {} } = slice.metadata
  const endpoints = (slice.endpoints ?? []) as { addresses: string[]; conditions?: { ready?: boolean } }[]
  return endpoints.map(({ addresses: [address = ''], conditions }) => ({
    address,
    ready: conditions?.ready !== false,
    draining: drainMark(address) in annotations,
  }))
}

/** Asks the health loop to send a proxy nothing new, or again; it acts within a few seconds. */
export const markDraining = async (kube: Kube, namespace: string, address: string, since: string | null) => {
  const annotations = { [drainMark(address)]: since }
  await kube.patch(idOf(namespace), { merge: { metadata: { annotations } } }, { manager: 'kapsule-egress-drain' })
}
