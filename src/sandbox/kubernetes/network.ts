import type { Pods, ServiceRule } from '../ports.ts'
import type { Api } from './api.ts'
import type { Loose, Obj } from './object.ts'
import { isActive, isReady, stable } from './object.ts'
import type { Peer } from './policies.ts'
import { firewalls, peersOf } from './policies.ts'
import { ownerReference } from './replicasets.ts'
import { kind } from './resources.ts'
import { picks } from './selectors.ts'
import type { Store } from './store.ts'

const me = 'kube-controller-manager'

/** These two the machines route themselves. */
const isBuiltIn = ({ metadata }: Obj) =>
  ['default/kubernetes', 'kube-system/kube-dns'].includes(`${metadata.namespace}/${metadata.name}`)

/**
 * Tells the machines what the cluster wants of the network. Each function answers when a state that is not older
 * than the call is in force; equal states are told once.
 */
export const createNetwork = (
  store: Store,
  pods: Pods,
  { clusterId, dnsIp }: { clusterId: string; dnsIp: string },
) => ({
  policies: coalesced(
    () =>
      firewalls({
        pods: peersOf(store.sorted(kind('Pod'))),
        virtual: [dnsPeer(dnsIp)],
        namespaces: store.sorted(kind('Namespace')),
        policies: store.sorted(kind('NetworkPolicy')),
      }),
    rules => pods.setPolicies(clusterId, rules),
  ),
  services: coalesced(
    () => serviceRules(store),
    rules => pods.setServices(clusterId, rules),
  ),
  names: coalesced(
    () => names(store),
    found => pods.setNames(clusterId, found),
  ),
})

/** The cluster's DNS has no pods here, but policies name it by the labels it has everywhere. */
const dnsPeer = (ip: string): Peer => ({
  namespace: 'kube-system',
  labels: { 'k8s-app': 'kube-dns' },
  ip,
  ports: [
    { name: 'dns', containerPort: 53, protocol: 'UDP' },
    { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
  ],
})

const coalesced = <T>(compute: () => T, tell: (state: T) => Promise<void>): (() => Promise<void>) => {
  let told = ''
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const run = async () => {
    const state = compute()
    const text = stable(state)
    if (text === told) return
    // Until it is through nobody knows what is in force.
    told = ''
    await tell(state)
    told = text
  }
  return () => {
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        running = run()
        return running
      })
    return next
  }
}

const serviceRules = (store: Store): ServiceRule[] =>
  store.sorted(kind('Service')).flatMap(service => {
    const { clusterIP, ports = [] } = service.spec
    if (!clusterIP || clusterIP === 'None' || isBuiltIn(service)) return []
    const subsets: Loose[] =
      store.get(kind('Endpoints'), service.metadata.namespace, service.metadata.name)?.subsets ?? []
    return ports
      .filter((it: Loose) => it.protocol === 'TCP' || it.protocol === 'UDP')
      .map((it: Loose) => ({
        clusterIp: clusterIP,
        protocol: it.protocol,
        port: it.port,
        endpoints: subsets.flatMap(subset => {
          const target = subset.ports?.find((its: Loose) => (its.name ?? '') === (it.name ?? ''))
          return target ? (subset.addresses ?? []).map((a: Loose) => ({ ip: a.ip, port: target.port })) : []
        }),
      }))
  })

const names = (store: Store): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const service of store.sorted(kind('Service'))) {
    if (isBuiltIn(service)) continue
    const { name, namespace } = service.metadata
    const ip = service.spec.clusterIP === 'None' ? firstEndpoint(store, service) : service.spec.clusterIP
    if (ip) found[`${name}.${namespace}.svc.cluster.local`] = ip
  }
  return found
}

const firstEndpoint = (store: Store, { metadata }: Obj): string | undefined =>
  store.get(kind('Endpoints'), metadata.namespace, metadata.name)?.subsets?.[0]?.addresses?.[0]?.ip

/** Writes the Endpoints and the EndpointSlice of a Service that selects pods. */
export const reconcileEndpoints = (store: Store, api: Api, key: string): undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const service = store.get(kind('Service'), namespace, name)
  if (!service?.spec.selector || isBuiltIn(service) || service.metadata.deletionTimestamp) return
  const chosen = store
    .list(kind('Pod'), namespace)
    .filter(it => picks(service.spec.selector, it.metadata.labels) && isActive(it) && it.status?.podIP)
  type Group = { ports: Loose[]; ready: Obj[]; notReady: Obj[] }
  const groups = new Map<string, Group>()
  for (const pod of chosen) {
    const ports = (service.spec.ports ?? []).flatMap((it: Loose) => {
      const port = portOf(pod, it)
      return port === undefined ? [] : [{ ...(it.name && { name: it.name }), port, protocol: it.protocol }]
    })
    const group: Group = groups.get(stable(ports)) ?? { ports, ready: [], notReady: [] }
    groups.set(stable(ports), group)
    if (isReady(pod) || service.spec.publishNotReadyAddresses) group.ready.push(pod)
    else group.notReady.push(pod)
  }
  const all = [...groups.values()]
  const subsets = all.map(({ ports, ready, notReady }) => ({
    ...(ready.length > 0 && { addresses: ready.map(address) }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady.map(address) }),
    ports,
  }))
  const labels = { ...service.metadata.labels }
  write(api, store, 'Endpoints', service, { name, labels }, { subsets })
  const slice = {
    addressType: 'IPv4',
    endpoints: all.flatMap(({ ready, notReady }) => [
      ...ready.map(it => endpoint(it, true)),
      ...notReady.map(it => endpoint(it, false)),
    ]),
    // Here a port without a name has an empty one; kubectl counts on it.
    ports: (all[0]?.ports ?? []).map(it => ({ name: '', ...it })),
  }
  const sliceLabels = {
    ...labels,
    'kubernetes.io/service-name': name,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  }
  write(
    api,
    store,
    'EndpointSlice',
    service,
    { name: `${name}-${service.metadata.uid.slice(0, 5)}`, labels: sliceLabels },
    slice,
  )
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
  service: Obj,
  { name, labels }: { name: string; labels: Loose },
  content: Loose,
) => {
  const of = kind(type)
  const { namespace } = service.metadata
  const known = store.get(of, namespace, name)
  const metadata = { name, namespace, labels, ownerReferences: [ownerReference(service)] }
  if (known) {
    api.modify(of, known, it => Object.assign(it, content, { metadata: { ...it.metadata, labels } }), me)
  } else if (!store.get(kind('Namespace'), undefined, namespace!)?.metadata.deletionTimestamp) {
    api.create(of, namespace, { metadata, ...content } as unknown as Obj, { manager: me, internal: true })
  }
}
