import type { LabelSelector, Pod } from '../workload.ts'
import { matches } from './labels.ts'
import type { ClusterNode, Labels, Moving } from './sight.ts'

/** Where a pod may be, and which pods of the namespace are there. */
export type Place = { node: ClusterNode; here: readonly Pod[] }

type Placing = {
  nodeSelector?: Labels
  tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[]
  affinity?: {
    nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: Term[] } }
    podAntiAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: Apart[] }
  }
  containers: { ports?: { hostPort?: number }[] }[]
}
type Expression = { key: string; operator: string; values?: string[] }
type Term = { matchExpressions?: Expression[]; matchFields?: Expression[] }
type Apart = { topologyKey: string; labelSelector?: LabelSelector; namespaces?: string[] }

/** Why pods of it may not be on a node; undefined: they may. As the scheduler filters, by what is written here alone. */
export const obstacle = (it: Moving, { node, here }: Place, namespace: string): string | undefined => {
  const { spec = {}, status = {} } = node
  const template = it.template.spec as unknown as Placing
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  if (ready && ready.status !== 'True') return 'are not ready'
  if (spec.unschedulable) return 'are cordoned'
  const taint = spec.taints?.find(it => it.effect !== 'PreferNoSchedule' && !tolerates(template.tolerations, it))
  if (taint) return `have the taint ${taint.key}`
  if (!isAskedFor(it, node)) return 'are not those it asks for'
  const apart = template.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const isApart = ({ topologyKey, labelSelector, namespaces }: Apart) =>
    topologyKey === 'kubernetes.io/hostname' &&
    (!namespaces || namespaces.includes(namespace)) &&
    here.some(pod => matches(labelSelector, pod.metadata.labels ?? {}))
  if (apart.some(isApart)) return 'have a pod that it must not be beside'
  const ports = hostPorts(template)
  return here.some(pod => hostPorts(pod.spec as unknown as Placing).some(port => ports.includes(port)))
    ? 'have its host port taken'
    : undefined
}

/** By its selector and its affinity. */
export const isAskedFor = (it: Moving, { metadata }: ClusterNode): boolean => {
  const { nodeSelector = {}, affinity } = it.template.spec as unknown as Placing
  const labels = metadata.labels ?? {}
  const isSelected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return isSelected && (!terms || terms.some(term => isMet(term, labels, metadata.name)))
}

const hostPorts = ({ containers }: Placing): number[] =>
  containers.flatMap(({ ports = [] }) => ports.flatMap(({ hostPort }) => hostPort ?? []))

const tolerates = (tolerations: Placing['tolerations'] = [], taint: { key: string; value?: string; effect: string }) =>
  tolerations.some(
    ({ key, operator, value, effect }) =>
      (!effect || effect === taint.effect) &&
      (key ? key === taint.key : operator === 'Exists') &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  )

const isMet = ({ matchExpressions = [], matchFields = [] }: Term, labels: Labels, name: string): boolean => {
  const holds = ({ key, operator, values = [] }: Expression, from: Labels): boolean => {
    const value = from[key]
    if (operator === 'Gt') return Number(value) > Number(values[0])
    if (operator === 'Lt') return Number(value) < Number(values[0])
    return matches({ matchExpressions: [{ key, operator: operator as 'In', values }] }, from)
  }
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every(it => holds(it, labels)) &&
    matchFields.every(it => holds(it, { 'metadata.name': name }))
  )
}
