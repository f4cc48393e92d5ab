import type { Json } from '../engine/json.ts'
import type { Detail } from '../engine/kind.ts'
import { type EgressWant, objectOf } from './egress-want.ts'
import { detail, differences } from './kube/difference.ts'
import { appliedBy, holders, leaves, lookup, type Path } from './kube/fields.ts'
import { MANAGER } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import { type Earlier, earlierValues, names, ownedPart } from './kube/ownership.ts'
import { isRolledOut } from './rollout-state.ts'
import { containersOf, type EnvVar, isLeaving, type Pod } from './workload.ts'
import type { Rollout } from './workloads/read.ts'

export type Live = {
  uid: string
  generation: number
  label: string | null
  /** Our names only, by container; null: not set. */
  env: { [container: string]: { [name: string]: Json } }
  /** Pods of the current template that lost the label: they left by the old way, or by none. */
  podsWithoutLabel: string[]
  rolledOut: boolean
  /** What is not as wanted, and who made it so. */
  details: Detail[]
  /** What we had applied before; undo goes back to it. */
  owned: KubeObject | null
  earlier: Earlier[]
}

export const liveOf = (want: EgressWant, rollout: Rollout): Live => {
  const object = rollout.workload as KubeObject
  const { template, of } = rollout
  const { metadata } = rollout.workload
  const target = objectOf(want, rollout)
  const entries = metadata.managedFields ?? []
  const changed = differences(target, object).map(it => detail(it, names(holders(entries, it.path, MANAGER))))
  const unwanted = leaves(appliedBy(object, MANAGER) ?? {})
    .filter(path => !isInItemGone(object, path) && lookup(target, path) === undefined)
    .map(path => detail({ path, from: lookup(object, path), to: undefined }))
  const label = template.metadata?.labels?.[want.label.key] ?? null
  return {
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    label,
    env: Object.fromEntries(
      containersOf(template).map(({ name, env = [] }) => [
        name,
        Object.fromEntries(
          (of.labelOnly ? [] : want.env).map(it => [it.name, settingOf(env.find(has => has.name === it.name))]),
        ),
      ]),
    ),
    podsWithoutLabel: withoutLabel(want, rollout).map(pod => pod.metadata.name),
    rolledOut: isRolledOut(rollout),
    details: [...changed, ...unwanted],
    owned: ownedPart(object, MANAGER),
    earlier: earlierValues(object, target, MANAGER),
  }
}

const settingOf = (variable: EnvVar | undefined): Json => variable?.value ?? variable?.valueFrom ?? null

const isInItemGone = (object: KubeObject, path: Path): boolean =>
  path.some((step, index) => step.startsWith('k:') && lookup(object, path.slice(0, index + 1)) === undefined)

/** Only where the template has the label: otherwise no pod can have lost it. */
export const withoutLabel = ({ label }: EgressWant, { template, current }: Rollout): Pod[] =>
  template.metadata?.labels?.[label.key] === label.value
    ? current.filter(pod => !isLeaving(pod) && pod.metadata.labels?.[label.key] !== label.value)
    : []
