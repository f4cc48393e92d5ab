import { appliedBy } from '../kube/fields.ts'
import { MANAGER } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { EGRESS_LABEL } from '../manifests.ts'
import { PROBE_LABEL } from '../probe-pod.ts'
import { MANAGED_BY } from '../tenancy.ts'
import { calledAs, isLeaving, isOver, type LabelSelector, type WorkloadRef } from '../workload.ts'
import { kindOf } from '../workloads/read.ts'
import type { Check, Finding } from './finding.ts'
import { looksAt, turn } from './labels.ts'
import type { Moving, Sight } from './sight.ts'

const LABEL = `${EGRESS_LABEL.key}=${EGRESS_LABEL.value}`

/** What the label does besides moving: pods that carry it already, and selectors that look at it. */
export const label: Check = sight => {
  const looking = (selector: LabelSelector | undefined) => looksAt(selector, EGRESS_LABEL.key)
  const about = {
    workloads: sight.workloads.filter(it => looking(it.spec.selector)),
    services: sight.services.filter(it => it.spec?.selector && looking({ matchLabels: it.spec.selector })),
    budgets: sight.budgets.filter(it => looking(it.spec.selector)),
  }
  return [...inUse(sight), ...sight.moving.flatMap(it => selected(it, about))]
}

/** Pods that nobody moved would be cut off all at once when the policy comes. Where it stands, they live with it. */
const inUse = ({ namespace, pods, policies, workloads }: Sight): Finding[] => {
  if (policies.some(it => it.metadata.labels?.[MANAGED_BY] === MANAGER)) return []
  const moved = workloads.filter(it => appliedBy(it as unknown as KubeObject, MANAGER) !== null)
  const isMoved = (pod: Sight['pods'][number]) =>
    pod.metadata.labels?.[PROBE_LABEL] !== undefined ||
    appliedBy(pod as unknown as KubeObject, MANAGER) !== null ||
    moved.some(({ kind, metadata: { name } }) => kindOf({ kind } as WorkloadRef).isOne(pod, name))
  const carrying = pods.filter(
    it =>
      it.metadata.labels?.[EGRESS_LABEL.key] === EGRESS_LABEL.value && !isLeaving(it) && !isOver(it) && !isMoved(it),
  )
  if (carrying.length === 0) return []
  const names = carrying.slice(0, 3).map(it => it.metadata.name)
  return [
    {
      level: 'stop',
      workload: namespace,
      what: `pods carry ${LABEL} already`,
      why: `${carrying.length} (${names.join(', ')}), and the policy would cut them off all at once`,
      next: 'take the label from their templates: a rollout puts it back, one workload after the other',
    },
  ]
}

const selected = (
  it: Moving,
  { workloads, services, budgets }: Pick<Sight, 'workloads' | 'services' | 'budgets'>,
): Finding[] => {
  const { name, workload, labels, of } = it
  const finding = (level: Finding['level'], what: string, why: string, next: string): Finding => ({
    ...{ level, workload: name },
    ...{ what, why, next },
  })
  const own =
    workload.spec.selector && !of.labelOnly && turn(workload.spec.selector, labels) === 'loses'
      ? [finding('stop', 'its own selector would not have it any more', `it looks at the label ${EGRESS_LABEL.key}`, 'make it anew with another selector: a selector cannot change')] // biome-ignore format: a sentence
      : []
  const others = workloads
    .filter(other => other.metadata.uid !== workload.metadata.uid && turn(other.spec.selector, labels) === 'gains')
    .map(({ kind, metadata }) => {
      const what = `${kind} ${metadata.name} would take its pods for its own`
      return finding(
        'stop',
        what,
        `its selector looks at ${LABEL}`,
        `give ${calledAs({ kind, name: metadata.name } as WorkloadRef)} another selector`,
      )
    })
  const balanced = services.flatMap(({ metadata, spec }) => {
    if (!spec?.selector) return []
    const it = turn({ matchLabels: spec.selector }, labels)
    if (!it) return []
    const what =
      it === 'gains' ? `Service ${metadata.name} would send it traffic` : `Service ${metadata.name} would lose it`
    return [finding('stop', what, `its selector looks at the label ${EGRESS_LABEL.key}`, 'select by another label')]
  })
  const counted = budgets.flatMap(({ metadata, spec }) => {
    const it = turn(spec.selector, labels)
    if (!it) return []
    const what = `PodDisruptionBudget ${metadata.name} would ${it === 'gains' ? 'count it, too' : 'not count it any more'}`
    const why = `its selector looks at the label ${EGRESS_LABEL.key}`
    return [finding(it === 'gains' ? 'note' : 'stop', what, why, 'select by another label')]
  })
  return [...own, ...others, ...balanced, ...counted]
}
