import type { Api } from '../api/api.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive, isBuiltIn, isReady, stable } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import { picks } from '../objects/selectors.ts'
import type { Store } from '../objects/store.ts'
import { ownerReference } from './replicasets.ts'

const me = 'kube-controller-manager'
export const serviceLabel = 'kubernetes.io/service-name'
const managedBy = 'endpointslice.kubernetes.io/managed-by'
const ofPods = 'endpointslice-controller.k8s.io'
const ofMirrors = 'endpointslicemirroring-controller.k8s.io'

/** Which pods, or in a mirror which addresses, answer on which ports. */
type Group = { ports: Loose[]; endpoints: Loose[] }

/**
 * What stands behind a Service. One that selects pods gets Endpoints and slices; one without a selector is served by
 * whatever slices somebody made for it, and Endpoints that somebody made for it are mirrored into one.
 */
export const reconcileEndpoints = (store: Store, api: Api, key: string): undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const service = store.get(kind('Service'), namespace, name)
  if (!service || isBuiltIn(service) || service.metadata.deletionTimestamp) return
  if (!service.spec.selector) return mirror(store, api, service)
  const { subsets, groups } = podsOf(store, service)
  const labels = { ...service.metadata.labels }
  write(api, store, 'Endpoints', service, { name, labels }, { subsets })
  slices(store, api, service, service, groups, ofPods)
}

const podsOf = (store: Store, service: Obj) => {
  const chosen = store
    .list(kind('Pod'), service.metadata.namespace)
    .filter(it => picks(service.spec.selector, it.metadata.labels) && isActive(it) && it.status?.podIP)
  type Found = { ports: Loose[]; ready: Obj[]; notReady: Obj[] }
  const found = new Map<string, Found>()
  for (const pod of chosen) {
    const ports = (service.spec.ports ?? []).flatMap((it: Loose) => {
      const port = portOf(pod, it)
      return port === undefined ? [] : [{ ...(it.name && { name: it.name }), port, protocol: it.protocol }]
    })
    const group: Found = found.get(stable(ports)) ?? { ports, ready: [], notReady: [] }
    found.set(stable(ports), group)
    if (isReady(pod) || service.spec.publishNotReadyAddresses) group.ready.push(pod)
    else group.notReady.push(pod)
  }
  const all = [...found.values()]
  return {
    subsets: all.map(({ ports, ready, notReady }) => ({
      ...(ready.length > 0 && { addresses: ready.map(address) }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady.map(address) }),
      ports,
    })),
    groups: all.map(({ ports, ready, notReady }) => ({
      ports,
      endpoints: [...ready.map(it => endpoint(it, true)), ...notReady.map(it => endpoint(it, false))],
    })),
  }
}

/** Endpoints made by hand, as the slice that everybody reads. */
const mirror = (store: Store, api: Api, service: Obj): undefined => {
  const { namespace, name } = service.metadata
  const made = store.get(kind('Endpoints'), namespace, name)
  const bare = (it: Loose, ready: boolean) => ({ addresses: [it.ip], conditions: { ready } })
  const groups = (made?.subsets ?? []).map((it: Loose) => ({
    ports: it.ports ?? [],
    endpoints: [
      ...(it.addresses ?? []).map((one: Loose) => bare(one, true)),
      ...(it.notReadyAddresses ?? []).map((one: Loose) => bare(one, false)),
    ],
  }))
  slices(store, api, service, made ?? service, groups, ofMirrors)
}

/** One slice for each set of ports; those of ours that nothing is behind any more go. */
const slices = (store: Store, api: Api, service: Obj, owner: Obj, groups: Group[], manager: string): void => {
  const { namespace, name, labels = {} } = service.metadata
  // A Service that nothing answers for has an empty slice, if pods should.
  const wanted = groups.length > 0 || manager === ofMirrors ? groups : [{ ports: [], endpoints: [] }]
  const nameOf = (at: number) => `${name}-${owner.metadata.uid.slice(0, 5)}${at > 0 ? `-${at}` : ''}`
  for (const [at, { ports, endpoints }] of wanted.entries()) {
    const meta = { name: nameOf(at), labels: { ...labels, [serviceLabel]: name, [managedBy]: manager } }
    // Here a port without a name has an empty one; kubectl counts on it.
    const content = { addressType: 'IPv4', endpoints, ports: ports.map(it => ({ name: '', ...it })) }
    write(api, store, 'EndpointSlice', owner, meta, content)
  }
  const kept = new Set(wanted.map((_, at) => nameOf(at)))
  for (const it of store.list(kind('EndpointSlice'), namespace)) {
    const { [serviceLabel]: of, [managedBy]: by } = it.metadata.labels ?? {}
    if (of === name && by === manager && !kept.has(it.metadata.name))
      api.remove(kind('EndpointSlice'), namespace, it.metadata.name)
  }
}

const portOf = (pod: Obj, { targetPort, protocol }: Loose): number | undefined => {
  if (typeof targetPort === 'number') return targetPort
  const all: Loose[] = pod.spec.containers.flatMap((it: Loose) => it.ports ?? [])
  return all.find(it => it.name === targetPort && (it.protocol ?? 'TCP') === protocol)?.containerPort
}

const target = ({ metadata }: Obj) => ({
  kind: 'Pod',
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
})
const address = (pod: Obj) => ({ ip: pod.status.podIP, nodeName: pod.spec.nodeName, targetRef: target(pod) })
const endpoint = (pod: Obj, ready: boolean) => ({
  addresses: [pod.status.podIP],
  conditions: { ready, serving: ready, terminating: false },
  nodeName: pod.spec.nodeName,
  targetRef: target(pod),
})

const write = (
  api: Api,
  store: Store,
  type: string,
  owner: Obj,
  { name, labels }: { name: string; labels: Loose },
  content: Loose,
) => {
  const of = kind(type)
  const { namespace } = owner.metadata
  const known = store.get(of, namespace, name)
  const metadata = { name, namespace, labels, ownerReferences: [ownerReference(owner)] }
  if (known) {
    api.modify(of, known, it => Object.assign(it, content, { metadata: { ...it.metadata, labels } }), me)
  } else if (!store.get(kind('Namespace'), undefined, namespace!)?.metadata.deletionTimestamp) {
    api.create(of, namespace, { metadata, ...content } as unknown as Obj, { manager: me, internal: true })
  }
}
