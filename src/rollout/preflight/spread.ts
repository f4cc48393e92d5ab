import type { LabelSelector, Pod } from '../workload.ts'
import { matches } from './labels.ts'
import type { Place } from './placing.ts'
import type { ClusterNode, Labels, Moving } from './sight.ts'

type Constraint = {
  maxSkew: number
  minDomains?: number
  topologyKey: string
  whenUnsatisfiable: string
  labelSelector?: LabelSelector
  matchLabelKeys?: string[]
  nodeAffinityPolicy?: string
}

/**
 * Why one more pod of a workload must not be on a node, by how its pods are to be spread; undefined: it may. `isAskedFor`:
 * the nodes that its selector and affinity have.
 * @see Kubernetes, Pod Topology Spread Constraints
 */
export const spreadOf = (
  { template, labels }: Pick<Moving, 'template' | 'labels'>,
  places: readonly Place[],
  isAskedFor: (node: ClusterNode) => boolean,
): ((node: ClusterNode) => string | undefined) => {
  const { topologySpreadConstraints = [] } = template.spec as { topologySpreadConstraints?: Constraint[] }
  const hard = topologySpreadConstraints.filter(it => it.whenUnsatisfiable === 'DoNotSchedule')
  const has = (node: ClusterNode) => hard.every(it => node.metadata.labels?.[it.topologyKey] !== undefined)
  const counts = hard.map(constraint => {
    const { topologyKey, nodeAffinityPolicy } = constraint
    const counted = places.filter(({ node }) => has(node) && (nodeAffinityPolicy === 'Ignore' || isAskedFor(node)))
    const byDomain = new Map<string, number>()
    for (const { node, here } of counted) {
      const domain = node.metadata.labels![topologyKey]!
      const mine = here.filter(pod => isCounted(constraint, labels.after, pod)).length
      byDomain.set(domain, (byDomain.get(domain) ?? 0) + mine)
    }
    return byDomain
  })
  return node => {
    if (!has(node)) return 'lack the label that its pods are spread by'
    const past = hard.some((it, at) => {
      const all = counts[at]!
      const least = all.size < (it.minDomains ?? 1) ? 0 : Math.min(...all.values())
      const own = matches(it.labelSelector, labels.after) ? 1 : 0
      return (all.get(node.metadata.labels![it.topologyKey]!) ?? 0) + own - least > it.maxSkew
    })
    return past ? 'have more of its pods than its spread allows' : undefined
  }
}

/** Labels that only a controller gives (pod-template-hash) tell new pods from all that are there. */
const isCounted = ({ labelSelector, matchLabelKeys = [] }: Constraint, after: Labels, pod: Pod): boolean =>
  matches(labelSelector, pod.metadata.labels ?? {}) &&
  matchLabelKeys.every(key => after[key] !== undefined && pod.metadata.labels?.[key] === after[key])
