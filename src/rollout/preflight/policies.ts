import { MANAGER } from '../kube/kube.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { MANAGED_BY } from '../tenancy.ts'
import type { Check, Finding } from './finding.ts'
import { foreignPolicies } from './foreign-policies.ts'
import { matches, turn } from './labels.ts'
import type { Moving, Policy, PolicyRule, Sight } from './sight.ts'
import { type Way, waysTo } from './ways-out.ts'

/**
 * Policies of others. What several let through is let through: one that opens the outside makes ours a piece of paper.
 * And selectors that look at the label would close or open what nobody meant.
 */
export const policies: Check = sight => {
  const others = sight.policies.filter(it => it.metadata.labels?.[MANAGED_BY] !== MANAGER)
  const told = sight.moving.flatMap(it => others.flatMap(other => [...opened(it, other, sight), ...turned(it, other)]))
  return [...told, ...foreignPolicies(sight)]
}

const opened = ({ name, labels }: Moving, policy: Policy, { inside }: Sight): Finding[] => {
  const { podSelector, egress = [] } = policy.spec
  if (!typesOf(policy.spec).includes('Egress') || !matches(podSelector ?? {}, labels.after)) return []
  const ways = egress.flatMap(it => waysOut(it, inside))
  const wide = ways.filter(it => it.wide)
  const told = (wide.length > 0 ? wide : ways).map(it => it.what)
  if (told.length === 0) return []
  return [
    {
      level: wide.length > 0 ? 'stop' : 'note',
      workload: name,
      what: `NetworkPolicy ${policy.metadata.name} lets it past the proxy`,
      why: `to ${[...new Set(told)].join(', ')}: what any policy lets through is let through`,
      next: `except its pods by podSelector (${EGRESS_LABEL.key} NotIn ${EGRESS_LABEL.value}), or narrow it to what is in the cluster`,
    },
  ]
}

const waysOut = ({ to = [], ports = [] }: PolicyRule, inside: readonly string[]): Way[] => {
  const dns = ports.length > 0 && ports.every(it => it.port === 53)
  if (to.length === 0) return waysTo(undefined, dns, inside)
  return waysTo(
    to.flatMap(({ ipBlock }) => ipBlock?.cidr ?? []),
    dns,
    inside,
  )
}

/** Without the word, a policy is about what comes in, and about what goes out where it has rules for that. */
const typesOf = ({ policyTypes, egress }: Policy['spec']): string[] =>
  policyTypes ?? ['Ingress', ...(egress ? ['Egress'] : [])]

const turned = ({ name, labels }: Moving, { metadata, spec }: Policy): Finding[] => {
  const { podSelector, egress = [], ingress = [] } = spec
  const looks = `it looks at the label ${EGRESS_LABEL.key}`
  const next = 'select by another label'
  const finding = (level: Finding['level'], what: string): Finding => ({
    level,
    workload: name,
    what,
    why: looks,
    next,
  })
  const policy = `NetworkPolicy ${metadata.name}`
  const came = turn(podSelector ?? {}, labels)
  const closes = typesOf(spec).includes('Ingress')
  const itself: Finding[] = !came
    ? []
    : came === 'gains'
      ? closes
        ? [finding('stop', `${policy} would close it to what it does not let in`)]
        : []
      : [finding(closes ? 'stop' : 'note', `${policy} would not hold for it any more`)]
  const peers = [...ingress.flatMap(it => it.from ?? []), ...egress.flatMap(it => it.to ?? [])]
  const turns = new Set(peers.flatMap(it => (it.podSelector ? (turn(it.podSelector, labels) ?? []) : [])))
  return [
    ...itself,
    ...(turns.has('loses') ? [finding('stop', `${policy} would not let its traffic through any more`)] : []),
    ...(turns.has('gains') ? [finding('note', `${policy} would let its traffic through, too`)] : []),
  ]
}
