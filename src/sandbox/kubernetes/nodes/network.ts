import type { Pods, ServiceRule } from '../../ports.ts'
import { serviceLabel } from '../controllers/endpoints.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isBuiltIn, isDns, stable } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { paperOf } from './paper.ts'
import type { Peer } from './policies.ts'
import { firewalls, peersOf } from './policies.ts'

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
    () => {
      const policies = store.sorted(kind('NetworkPolicy'))
      if (policies.length === 0) return []
      return firewalls({
        pods: peersOf(store.sorted(kind('Pod')).filter(it => paperOf(store, it.spec.nodeName) === undefined)),
        virtual: [dnsPeer(dnsIp)],
        namespaces: store.sorted(kind('Namespace')),
        policies,
      })
    },
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

/** As kube-proxy: by the slices alone, whoever made them. What is not said to be unready is ready. */
const serviceRules = (store: Store): ServiceRule[] =>
  store.sorted(kind('Service')).flatMap(service => {
    const { clusterIP, ports = [] } = service.spec
    if (!clusterIP || clusterIP === 'None' || isDns(service)) return []
    const slices = slicesOf(store, service)
    return ports
      .filter((it: Loose) => it.protocol === 'TCP' || it.protocol === 'UDP')
      .map((it: Loose) => ({
        clusterIp: clusterIP,
        protocol: it.protocol,
        port: it.port,
        endpoints: unique(
          slices.flatMap(slice => {
            const target = slice.ports?.find((its: Loose) => (its.name ?? '') === (it.name ?? ''))
            return target ? readyIn(slice).map(ip => ({ ip, port: target.port })) : []
          }),
        ),
      }))
  })

const slicesOf = (store: Store, { metadata: { namespace, name } }: Obj): Obj[] =>
  store
    .sorted(kind('EndpointSlice'), namespace)
    .filter(it => it.metadata.labels?.[serviceLabel] === name && it.addressType === 'IPv4')

const readyIn = ({ endpoints = [] }: Obj): string[] =>
  endpoints.flatMap((it: Loose) => (it.conditions?.ready === false ? [] : (it.addresses ?? []).slice(0, 1)))

/** An address that two slices have is one endpoint. */
const unique = <T>(all: T[]): T[] => [...new Map(all.map(it => [stable(it), it])).values()]

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

const firstEndpoint = (store: Store, service: Obj): string | undefined => slicesOf(store, service).flatMap(readyIn)[0]
