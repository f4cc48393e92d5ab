import type { PodFirewall } from '../../ports.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive } from '../objects/object.ts'
import type { Labels } from '../objects/selectors.ts'
import { selects } from '../objects/selectors.ts'

/** A pod as policies see it. */
export type Peer = { namespace: string; labels: Labels; ip: string; ports: Loose[] }
type Rule = NonNullable<PodFirewall['egress']>[number]

export const peersOf = (pods: Obj[]): Peer[] =>
  pods
    .filter(it => isActive(it) || it.metadata.deletionTimestamp)
    .filter(it => it.status?.podIP && !it.spec.hostNetwork)
    .map(it => ({
      namespace: it.metadata.namespace!,
      labels: it.metadata.labels ?? {},
      ip: it.status.podIP,
      ports: it.spec.containers.flatMap((its: Loose) => its.ports ?? []),
    }))

/**
 * NetworkPolicies as rules by address. A pod that no policy picks is not in the answer: it may do everything.
 * `virtual` are peers without a pod of their own, such as the cluster's DNS: rules may name them, none is isolated.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export const firewalls = (parts: {
  pods: Peer[]
  virtual: Peer[]
  namespaces: Obj[]
  policies: Obj[]
}): PodFirewall[] => {
  const labelsOf = new Map(parts.namespaces.map(it => [it.metadata.name, it.metadata.labels ?? {}]))
  const everyone = [...parts.pods, ...parts.virtual]
  const peersFor = (policy: Obj, { podSelector, namespaceSelector }: Loose): Peer[] =>
    everyone.filter(
      it =>
        (namespaceSelector
          ? selects(namespaceSelector, labelsOf.get(it.namespace))
          : it.namespace === policy.metadata.namespace) && selects(podSelector ?? {}, it.labels),
    )

  const rulesOf = (policy: Obj, rules: Loose[], side: 'to' | 'from', self: Peer): Rule[] =>
    rules.flatMap(rule => {
      const targets: { cidr: string; except: string[]; peer?: Peer }[] = !rule[side]?.length
        ? [{ cidr: '0.0.0.0/0', except: [] }]
        : rule[side].flatMap((it: Loose) => {
            if (!it.ipBlock) return peersFor(policy, it).map(peer => ({ cidr: `${peer.ip}/32`, except: [], peer }))
            return it.ipBlock.cidr.includes(':') ? [] : [{ cidr: it.ipBlock.cidr, except: it.ipBlock.except ?? [] }]
          })
      return targets.flatMap(({ cidr, except, peer }) => {
        // A named port means that of the receiver.
        const ports = portsOf(rule.ports, side === 'from' ? self : peer)
        return ports ? [{ cidr, except, ports }] : []
      })
    })

  return parts.pods.flatMap(pod => {
    const mine = parts.policies.filter(
      it => it.metadata.namespace === pod.namespace && selects(it.spec.podSelector ?? {}, pod.labels),
    )
    const of = (type: string) => mine.filter(it => it.spec.policyTypes?.includes(type))
    const [out, into] = [of('Egress'), of('Ingress')]
    if (out.length === 0 && into.length === 0) return []
    return {
      podIp: pod.ip,
      ...(out.length > 0 && { egress: out.flatMap(it => rulesOf(it, it.spec.egress ?? [], 'to', pod)) }),
      ...(into.length > 0 && { ingress: into.flatMap(it => rulesOf(it, it.spec.ingress ?? [], 'from', pod)) }),
    }
  })
}

/** No ports asked for means all; asked for but none that we can enforce means that the rule allows nothing. */
const portsOf = (ports: Loose[] | undefined, receiver: Peer | undefined): Rule['ports'] | undefined => {
  if (!ports?.length) return []
  const found = ports.flatMap(({ protocol = 'TCP', port, endPort }): Rule['ports'] => {
    if (protocol !== 'TCP' && protocol !== 'UDP') return []
    if (port === undefined) return [{ protocol, port: 1, endPort: 65535 }]
    if (typeof port === 'number') return [{ protocol, port, ...(endPort !== undefined && { endPort }) }]
    const named = receiver?.ports.find(it => it.name === port && (it.protocol ?? 'TCP') === protocol)
    return named ? [{ protocol, port: named.containerPort }] : []
  })
  return found.length > 0 ? found : undefined
}
