import { isLeaving, isOver, type LabelSelector, type Pod } from '../workload.ts'
import { quantity } from './amounts.ts'
import { disruption, phasesOf } from './downtime.ts'
import type { Check, Finding } from './finding.ts'
import { matches } from './labels.ts'
import { type Amounts, amountsOf } from './requests.ts'
import type { ClusterNode, Labels, Moving, Sight } from './sight.ts'

/**
 * A pod that comes before another goes needs a node: one that it may be on, with room for what it asks for. One at a
 * time is enough, since each that is ready lets another go.
 */
export const room: Check = sight => {
  const { nodes, moving } = sight
  if (!nodes || nodes.length === 0) return []
  const everywhere = byNode(sight.everyPod)
  const here = byNode(sight.pods.filter(it => !isLeaving(it)))
  return phasesOf(moving).flatMap(phase => {
    const places = nodes.map(node => {
      const { name } = node.metadata
      return { node, left: leftOn(node, everywhere.get(name) ?? []), here: here.get(name) ?? [] }
    })
    return phase.filter(it => disruption(it).extra > 0).flatMap(it => placed(it, places, sight))
  })
}

/** Where a pod may be: what is left there, and which pods of the namespace are. */
type Place = { node: ClusterNode; left: Left; here: Pod[] }

const byNode = (pods: readonly Pod[]): Map<string | undefined, Pod[]> =>
  Map.groupBy(
    pods.filter(it => !isOver(it)),
    it => it.spec.nodeName,
  )

type Left = Pick<Amounts, 'cpu' | 'memory'> & { pods: number }

const leftOn = ({ status = {} }: ClusterNode, there: readonly Pod[]): Left => {
  const { cpu, memory, pods } = status.allocatable ?? {}
  const all = (text: string | undefined) => (text === undefined ? Number.POSITIVE_INFINITY : quantity(text))
  const left = { cpu: all(cpu), memory: all(memory), pods: all(pods) }
  for (const pod of there) {
    const asked = amountsOf(pod.spec)
    left.cpu -= asked.cpu
    left.memory -= asked.memory
    left.pods -= 1
  }
  return left
}

const placed = (it: Moving, places: readonly Place[], sight: Sight): Finding[] => {
  const asked = amountsOf(it.template.spec)
  const reasons = new Map<string, number>()
  let best: Left | undefined
  for (const place of places) {
    const why = obstacle(it, place, sight.namespace) ?? shortage(asked, place.left)
    if (why) reasons.set(why, (reasons.get(why) ?? 0) + 1)
    else if (!best || place.left.pods > best.pods) best = place.left
  }
  if (best) {
    best.cpu -= asked.cpu
    best.memory -= asked.memory
    best.pods -= 1
    return []
  }
  const { down } = disruption(it)
  const told = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ')
  const easy = down > 0 || sight.wishes.grows
  return [
    {
      level: easy ? 'note' : 'stop',
      workload: it.name,
      what: 'no node has room for the pod that comes first',
      why: `of ${places.length} nodes: ${told}`,
      next: easy
        ? down > 0
          ? 'nothing: one goes before, so it only takes longer'
          : 'nothing, if the pool grows: its autoscaling is on'
        : 'add a node, or let one pod go first (maxUnavailable: 1)',
    },
  ]
}

const shortage = (asked: Amounts, left: Left): string | undefined =>
  left.pods < 1
    ? 'have as many pods as they may'
    : asked.cpu > left.cpu + 1e-6
      ? 'have too little CPU'
      : asked.memory > left.memory
        ? 'have too little memory'
        : undefined

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
const obstacle = (it: Moving, { node, here }: Place, namespace: string): string | undefined => {
  const { metadata, spec = {}, status = {} } = node
  const template = it.template.spec as unknown as Placing
  const labels = metadata.labels ?? {}
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  if (ready && ready.status !== 'True') return 'are not ready'
  if (spec.unschedulable) return 'are cordoned'
  const taint = spec.taints?.find(it => it.effect !== 'PreferNoSchedule' && !tolerates(template.tolerations, it))
  if (taint) return `have the taint ${taint.key}`
  const isSelected = Object.entries(template.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  const terms = template.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (!isSelected || (terms && !terms.some(it => isMet(it, labels, metadata.name)))) return 'are not those it asks for'
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
