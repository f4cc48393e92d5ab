import { word } from '../engine/desired.ts'
import { type Json, sameJson } from '../engine/json.ts'
import type { Detail, Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { awaitRollout } from './await-rollout.ts'
import { detail, differences } from './difference.ts'
import { appliedBy, holders, leaves, lookup, type Path } from './fields.ts'
import { admitted } from './guard/admitted.ts'
import { refuseForbidden } from './guard.ts'
import { type Kube, MANAGER } from './kube.ts'
import { isGone } from './kube-problem.ts'
import type { Clients } from './manifest.ts'
import type { ProxyFiles } from './manifests.ts'
import { isObject, type KubeObject } from './object.ts'
import { applyOurs, bare, type Earlier, earlierValues, names, ownedPart, restore } from './ownership.ts'
import { baselineOf, isRolledOut } from './rollout-state.ts'
import {
  type Container,
  calledAs,
  type EnvVar,
  isLeaving,
  type Pod,
  type PodTemplate,
  placedAt,
  type WorkloadRef,
} from './workload.ts'
import { kindOf, type Rollout, readRollout } from './workloads/read.ts'

export type EgressWant = {
  kubeconfig: string
  namespace: string
  kind: WorkloadRef['kind']
  name: string
  label: { key: string; value: string }
  env: EnvVar[]
  containers: 'all'
  /** A directory that every container gets, where the proxy asks for certificates. */
  files?: ProxyFiles
  waitSeconds?: number
}

type Live = {
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

/**
 * A workload's way out: label and proxy environment on its pod template, in one server-side apply, so that old
 * pods serve until new ones are ready. Everything else of the workload stays its owner's.
 */
export const workloadEgressKind: Kind<EgressWant, Live, Clients> = {
  name: 'workload-egress',
  looksThroughParents: true,
  takes: { create: 20, update: 20 },
  async read(want, { kube }) {
    const rollout = await readRollout(kube(want.kubeconfig), want)
    return rollout && liveOf(want, rollout)
  },
  diff(want, live) {
    if (live) refusePasswords(want, live)
    // What was started is left to finish.
    if (kindOf(want).fixed) return null
    const summary = `${showWorkload(want)}: ${want.label.key}=${want.label.value}, leave by the proxy`
    if (!live) return { action: 'create', summary: `${summary} (it is not there yet)` }
    const lost = live.podsWithoutLabel.map(
      (pod): Detail => ({ name: `pod ${pod}`, action: 'update', diff: `pod ${pod}: lost ${want.label.key}` }),
    )
    const details = [...live.details, ...lost]
    if (details.length > 0) return { action: 'update', summary, details }
    return live.rolledOut ? null : { action: 'update', summary: `${showWorkload(want)}: finish the rollout` }
  },
  async apply(want, { kube }, _live, report) {
    const cluster = kube(want.kubeconfig)
    const before = await found(cluster, want)
    refuse(want, before)
    const baseline = baselineOf(before)
    const target = objectOf(want, before)
    refuseForbidden(target)
    const { mended } = await applyOurs(cluster, target, before.workload as KubeObject)
    for (const { field, from } of mended) report.progress(`${showWorkload(want)}: took ${field} back from ${from}`)
    await awaitRollout(cluster, want, report, { baseline, ...(want.waitSeconds && { seconds: want.waitSeconds }) })
    const after = await found(cluster, want)
    for (const pod of withoutLabel(want, after)) {
      if (await relabel(cluster, want, pod)) report.progress(`pod ${pod.metadata.name}: ${want.label.key} put back`)
    }
    return liveOf(want, await found(cluster, want))
  },
  async undo(want, { kube }, before, now, report) {
    const cluster = kube(want.kubeconfig)
    const rollout = await readRollout(cluster, want)
    if (!rollout || rollout.of.fixed) return
    const live = rollout.workload as KubeObject
    const uid = (now ?? before)?.uid
    if (uid && live.metadata.uid !== uid) return
    if (appliedBy(live, MANAGER) || before?.owned) {
      const target = before?.owned ? withContainersOf(before.owned, rollout) : bare(live)
      const { object } = await admitted(() => applyOurs(cluster, target, live), report.signal)
      await restore(cluster, object, before?.earlier ?? [])
    }
    const seconds = want.waitSeconds
    await awaitRollout(cluster, want, report, { baseline: baselineOf(rollout), ...(seconds && { seconds }) })
  },
}

/** `workloadEgress('client-a/curl-demo', { kubeconfig, namespace, kind: 'Deployment', name, label, env, containers })` */
export const workloadEgress = word(workloadEgressKind)

/** What we apply: nothing but the label and our variables, for every container that is there now. */
export const objectOf = (
  { kind, namespace, name, label, env, files }: EgressWant,
  { of, template }: Rollout,
): KubeObject => {
  const withEnv = (list: Container[] = []) =>
    list.map(it => ({ name: it.name, env: env as Json, ...(files && { volumeMounts: [files.mount] }) }))
  const init = withEnv(template.spec.initContainers)
  const spec = {
    containers: withEnv(template.spec.containers),
    ...(init.length > 0 && { initContainers: init }),
    ...(files && { volumes: [files.volume] }),
  }
  const wanted = { metadata: { labels: { [label.key]: label.value } }, ...(!of.labelOnly && { spec }) }
  const placed = placedAt(of.templateAt, wanted) as { metadata?: object }
  return { apiVersion: of.apiVersion, kind, ...placed, metadata: { ...placed.metadata, name, namespace } }
}

const containersOf = ({ spec }: PodTemplate): Container[] => [...(spec.initContainers ?? []), ...spec.containers]

const liveOf = (want: EgressWant, rollout: Rollout): Live => {
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
const withoutLabel = ({ label }: EgressWant, { template, current }: Rollout): Pod[] =>
  template.metadata?.labels?.[label.key] === label.value
    ? current.filter(pod => !isLeaving(pod) && pod.metadata.labels?.[label.key] !== label.value)
    : []

/** False: the pod is gone, and its successor has the template's label. */
const relabel = async (
  kube: Kube,
  { label }: EgressWant,
  { metadata: { name, namespace, uid } }: Pod,
): Promise<boolean> => {
  const patch = { metadata: { ...(uid && { uid }), labels: { [label.key]: label.value } } }
  try {
    await kube.patch({ apiVersion: 'v1', kind: 'Pod', namespace, name }, { merge: patch })
    return true
  } catch (thrown) {
    if (isGone(thrown)) return false
    throw thrown
  }
}

/** Our earlier fields without containers that are gone: applying those would make half a container. */
const withContainersOf = (owned: KubeObject, { template, of }: Rollout): KubeObject => {
  const there = new Set(containersOf(template).map(it => it.name))
  const trim = (value: Json | undefined, path: readonly string[]): Json | undefined => {
    const [name, ...rest] = path
    if (name === undefined) {
      return Array.isArray(value) ? value.filter(it => isObject(it) && there.has(String(it.name))) : value
    }
    return isObject(value) && value[name] !== undefined ? { ...value, [name]: trim(value[name], rest) } : value
  }
  const lists = ['containers', 'initContainers']
  const trimmed = lists.reduce<Json>(
    (it, list) => trim(it, [...of.templateAt, 'spec', list]) as Json,
    owned,
  ) as KubeObject
  return sameJson(trimmed, owned) ? owned : trimmed
}

/** What stood there before goes to the journal, and no secret may. */
const refusePasswords = (want: EgressWant, { env }: Live): void => {
  const names = Object.values(env).flatMap(values =>
    Object.entries(values).flatMap(([name, value]) => (/\/\/[^\s/@]+@/.test(JSON.stringify(value)) ? [name] : [])),
  )
  if (names.length === 0) return
  throw new Problem(`${showWorkload(want)}: not moved`, {
    why: `${[...new Set(names)].join(', ')} holds credentials, and earlier values are written to the journal`,
    next: 'give these by valueFrom a Secret, or take them out, then run again',
  })
}

const found = async (kube: Kube, want: EgressWant): Promise<Rollout> => {
  const rollout = await readRollout(kube, want)
  if (rollout) return rollout
  throw new Problem(`${showWorkload(want)}: not found`, {
    why: 'the inventory names a workload that the cluster does not have',
    next: 'deploy the workload, or take it out of the tenant file',
  })
}

/** What stands against moving it as it is now. */
const refuse = (want: EgressWant, { workload, template, of }: Rollout): void => {
  const { deletionTimestamp } = workload.metadata
  const said = deletionTimestamp
    ? {
        why: `it is being deleted since ${deletionTimestamp}`,
        next: 'wait until it is gone, or take it out of the inventory',
      }
    : template.spec.hostNetwork
      ? {
          why: 'its pods use the network of their nodes, which no NetworkPolicy sees and no label moves',
          next: 'take it out of the inventory, or give its pods a network of their own (hostNetwork: false)',
        }
      : of.refuses?.(workload)
  if (said) throw new Problem(`${showWorkload(want)}: not moved`, said)
}

/** The word's name for one: its namespace, and what it is called there. */
export const egressName = (namespace: string, workload: WorkloadRef): string => `${namespace}/${calledAs(workload)}`

const showWorkload = ({ kind, namespace, name }: Pick<EgressWant, 'kind' | 'namespace' | 'name'>) =>
  `${kind} ${namespace}/${name}`
