import type { KubeObject } from '../kube/object.ts'
import type { LabelSelector } from '../workload.ts'
import { selectsCalico } from './calico-selector.ts'
import { matches } from './labels.ts'
import type { Labels } from './sight.ts'
import { type Way, waysTo } from './ways-out.ts'

export type Rule = { action: 'allow' | 'deny' | 'pass'; ways: Way[] }

/**
 * A policy of another kind, in the words in which it is judged. `rank`: asked before NetworkPolicies, together with them,
 * or only where none of them is.
 */
export type Foreign = {
  rank: 'before' | 'beside' | 'after'
  /** Rules for what goes out, in the order in which they are asked. */
  egress: Rule[]
  hasIngress: boolean
  /** Null: it cannot be told here. */
  selects(labels: Labels): boolean | null
}

export type Where = { namespace: string; namespaceLabels: Labels | null; inside: readonly string[] }

// biome-ignore lint/suspicious/noExplicitAny: objects of others, whose every field may be missing
type Loose = { [field: string]: any }

export const readForeignPolicy = (object: KubeObject, where: Where): Foreign => {
  const read = object.apiVersion.startsWith('cilium.io/')
    ? cilium
    : object.apiVersion.includes('projectcalico.org/')
      ? calico
      : admin
  return read(object as Loose, where)
}

const isDns = (ports: unknown[]): boolean => ports.length > 0 && ports.every(it => String(it) === '53')

/** @see Cilium, Layer 3 Policies: what any policy lets through is let through, but for what one denies */
const cilium = ({ spec, specs, metadata }: Loose, { namespace, namespaceLabels, inside }: Where): Foreign => {
  const all: Loose[] = [...(spec ? [spec] : []), ...(specs ?? [])]
  const waysOf = (rule: Loose): Way[] => {
    const ports = (rule.toPorts ?? []).flatMap((it: Loose) => (it.ports ?? []).map((its: Loose) => its.port))
    const peers = ['toEndpoints', 'toServices', 'toNodes', 'toGroups', 'toEntities', 'toCIDR', 'toCIDRSet', 'toFQDNs']
    if (peers.every(it => rule[it] === undefined)) return rule.toPorts ? waysTo(undefined, isDns(ports), inside) : []
    const world = (rule.toEntities ?? []).some((it: string) => /^(all|world(-ipv[46])?)$/.test(it))
    const cidrs = [...(rule.toCIDR ?? []), ...(rule.toCIDRSet ?? []).map((it: Loose) => it.cidr)].filter(Boolean)
    const names: string[] = (rule.toFQDNs ?? []).map((it: Loose) => it.matchPattern ?? it.matchName)
    return [
      ...(world ? waysTo(undefined, isDns(ports), inside) : []),
      ...waysTo(cidrs, isDns(ports), inside),
      ...names.map(it => ({ what: it, wide: /^\*+$/.test(it) && !isDns(ports) })),
    ]
  }
  const rules = (list: string, action: Rule['action']): Rule[] =>
    all.flatMap(it => (it[list] ?? []).map((rule: Loose): Rule => ({ action, ways: waysOf(rule) })))
  const ofNamespace = Object.entries(namespaceLabels ?? {}).map(([key, value]) => [
    `io.cilium.k8s.namespace.labels.${key}`,
    value,
  ])
  const known = { 'io.kubernetes.pod.namespace': namespace, ...Object.fromEntries(ofNamespace) }
  return {
    rank: 'beside',
    egress: [...rules('egressDeny', 'deny'), ...rules('egress', 'allow')],
    hasIngress: all.some(it => it.ingress || it.ingressDeny),
    selects: labels =>
      metadata.namespace !== undefined && metadata.namespace !== namespace
        ? false
        : all.some(it => it.endpointSelector && matches(unprefixed(it.endpointSelector), { ...known, ...labels })),
  }
}

/** Labels of Cilium have a source: `k8s:app`, `any:app`. */
const unprefixed = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): LabelSelector => {
  const bare = (key: string) => key.replace(/^(k8s|any):/, '')
  return {
    matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [bare(key), value])),
    matchExpressions: matchExpressions.map(it => ({ ...it, key: bare(it.key) })),
  }
}

/** @see Calico, NetworkPolicy: rules are asked in their order, and NetworkPolicies of Kubernetes only let through */
const calico = ({ spec = {} }: Loose, { namespace, namespaceLabels, inside }: Where): Foreign => {
  const types: string[] = spec.types ?? [...(spec.egress ? ['Egress'] : []), ...(spec.ingress ? ['Ingress'] : [])]
  const rule = ({ action, destination = {} }: Loose): Rule | null => {
    const says = { allow: 'allow', deny: 'deny', pass: 'pass' }[String(action).toLowerCase()] as Rule['action']
    if (!says) return null // Log
    const inCluster = destination.selector ?? destination.namespaceSelector ?? destination.serviceAccounts
    if (inCluster || destination.services) return { action: says, ways: [] }
    const names: string[] = destination.domains ?? []
    const named = names.map(it => ({ what: it, wide: it === '*' }))
    const ways = names.length > 0 ? named : waysTo(destination.nets, isDns(destination.ports ?? []), inside)
    return { action: says, ways }
  }
  const own = { 'projectcalico.org/namespace': namespace, 'projectcalico.org/orchestrator': 'k8s' }
  return {
    rank: 'beside',
    egress: types.includes('Egress') ? (spec.egress ?? []).map(rule).filter(Boolean) : [],
    hasIngress: types.includes('Ingress'),
    selects(labels) {
      const near = spec.namespaceSelector
        ? namespaceLabels && selectsCalico(spec.namespaceSelector, { ...namespaceLabels, ...own })
        : true
      const is = selectsCalico(spec.selector, { ...labels, ...own })
      return near === false || is === false ? false : near === null || is === null ? null : true
    },
  }
}

/** @see network-policy-api: Admin before NetworkPolicies, Baseline where none of them selects the pod */
const admin = ({ kind, spec = {} }: Loose, { namespaceLabels, inside }: Where): Foreign => {
  const says: { [action: string]: Rule['action'] } = { Allow: 'allow', Accept: 'allow', Deny: 'deny', Pass: 'pass' }
  const waysOf = ({ to = [], ports = [], protocols = [] }: Loose): Way[] => {
    const numbers = [...ports.map((it: Loose) => it.portNumber?.port), ...protocols.map((it: Loose) => portIn(it))]
    return to.flatMap((it: Loose) => [
      ...(it.networks ? waysTo(it.networks, isDns(numbers), inside) : []),
      ...(it.domainNames ?? []).map((what: string) => ({ what, wide: false })),
    ])
  }
  const { namespaces, pods } = spec.subject ?? {}
  return {
    rank: kind === 'BaselineAdminNetworkPolicy' || spec.tier === 'Baseline' ? 'after' : 'before',
    egress: (spec.egress ?? []).flatMap((it: Loose) =>
      says[it.action] ? [{ action: says[it.action]!, ways: waysOf(it) }] : [],
    ),
    hasIngress: (spec.ingress ?? []).length > 0,
    selects(labels) {
      if (pods && !matches(pods.podSelector, labels)) return false
      return namespaceLabels && matches(pods?.namespaceSelector ?? namespaces, namespaceLabels)
    },
  }
}

const portIn = (protocol: Loose): unknown =>
  Object.values(protocol)
    .map((it: Loose) => it?.destinationPort?.number)
    .find(it => it !== undefined)
