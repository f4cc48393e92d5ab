import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive, withCondition } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import { meets } from '../objects/selectors.ts'
import type { Store } from '../objects/store.ts'
import type { NodeIndex, Room } from './node-index.ts'
import { roomOf } from './node-index.ts'
import { quantity } from './quotas.ts'

const me = 'kube-scheduler'

export const tolerates = (tolerations: Loose[] = [], taint: Loose): boolean =>
  tolerations.some(
    it =>
      (!it.effect || it.effect === taint.effect) &&
      (!it.key ? it.operator === 'Exists' : it.key === taint.key) &&
      (it.operator === 'Exists' || (it.value ?? '') === (taint.value ?? '')),
  )

const shut = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Why a pod may not go to a node; undefined when it may. Looks at node selectors, required affinity and taints. */
export const obstacle = (pod: Obj, node: Obj): string | undefined => {
  const labels = node.metadata.labels ?? {}
  const { nodeSelector = {}, affinity, tolerations } = pod.spec
  const taint = (node.spec?.taints ?? []).find(
    (it: Loose) => it.effect !== 'PreferNoSchedule' && !tolerates(tolerations, it),
  )
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
  if (node.spec?.unschedulable && !tolerates(tolerations, shut)) return 'node(s) were unschedulable'
  const terms: Loose[] | undefined =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const isSelected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  const fields = { 'metadata.name': node.metadata.name }
  const fits = (term: Loose) =>
    (term.matchExpressions ?? []).every((it: Loose) => meets(labels, it)) &&
    (term.matchFields ?? []).every((it: Loose) => meets(fields, it))
  const isNear = !terms || terms.some(fits)
  return isSelected && isNear ? undefined : "node(s) didn't match Pod's node affinity/selector"
}

/** What a node has too little of; rounded, as sums of thousandths are not exact. */
const shortage = (pod: Obj, node: Obj, index: NodeIndex): string | undefined => {
  const [has, wants] = [index.load(node.metadata.name), roomOf(pod)]
  const isShort = (name: keyof Room) => {
    const most = node.status?.allocatable?.[name]
    return most !== undefined && wants[name] > 0 && has[name] + wants[name] > quantity(most) + 1e-6
  }
  if (isShort('pods')) return 'Too many pods'
  const short = (['cpu', 'memory'] as const).find(isShort)
  return short && `Insufficient ${short}`
}

/** Gives a pod the node with the fewest pods among those it may go to, or says why there is none. */
export const schedule = (store: Store, api: Api, record: Record, index: NodeIndex, key: string): undefined => {
  const [namespace, name] = key.split('/') as [string, string]
  const of = kind('Pod')
  const pod = store.get(of, namespace, name)
  if (!pod || pod.spec.nodeName || !isActive(pod)) return
  const nodes = store.sorted(kind('Node'))
  const obstacles = nodes.map(it => obstacle(pod, it) ?? shortage(pod, it, index))
  const open = nodes.filter((_, index) => obstacles[index] === undefined)
  if (open.length === 0) return refuse(api, record, pod, obstacles as string[])
  const best = open.reduce((a, b) => (index.load(b.metadata.name).pods < index.load(a.metadata.name).pods ? b : a))
  const placed = api.modify(
    of,
    pod,
    it => {
      it.spec.nodeName = best.metadata.name
    },
    me,
  )
  if (!placed) return
  const condition = { type: 'PodScheduled', status: 'True' }
  api.modify(
    of,
    placed,
    it => {
      it.status.conditions = withCondition(it.status.conditions, condition)
    },
    me,
    'status',
  )
  record(placed, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${best.metadata.name}`)
}

const refuse = (api: Api, record: Record, pod: Obj, obstacles: string[]): undefined => {
  const counts = new Map<string, number>()
  for (const it of obstacles) counts.set(it, (counts.get(it) ?? 0) + 1)
  const why = [...counts].map(([text, count]) => `${count} ${text}`).join(', ')
  const message = `0/${obstacles.length} nodes are available: ${why || 'there are none'}.`
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
  const known = pod.status?.conditions?.find((it: Loose) => it.type === 'PodScheduled')
  if (known?.message === message) return
  api.modify(
    kind('Pod'),
    pod,
    it => {
      it.status.conditions = withCondition(it.status.conditions, condition)
    },
    me,
    'status',
  )
  record(pod, 'Warning', 'FailedScheduling', message)
}
