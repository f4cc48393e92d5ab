import { word } from '../engine/desired.ts'
import { type Json, sameJson } from '../engine/json.ts'
import type { Detail, Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { awaitRollout } from './await-rollout.ts'
import { type Live, liveOf, withoutLabel } from './egress-live.ts'
import { found, refuse, refusePasswords } from './egress-refusals.ts'
import { type EgressWant, objectOf, showWorkload } from './egress-want.ts'
import { admitted } from './guard/admitted.ts'
import { refuseForbidden } from './guard.ts'
import { keptPods, keptText } from './kept-pods.ts'
import { appliedBy } from './kube/fields.ts'
import { type Kube, MANAGER } from './kube/kube.ts'
import { isObject, type KubeObject } from './kube/object.ts'
import { applyOurs, bare, restore } from './kube/ownership.ts'
import { isGone } from './kube/problem.ts'
import type { Clients } from './manifest.ts'
import { baselineOf } from './rollout-state.ts'
import { calledAs, containersOf, type Pod, type WorkloadRef } from './workload.ts'
import { kindOf, type Rollout, readRollout } from './workloads/read.ts'

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
    refuseKept(want, await readRollout(cluster, want))
  },
}

/** A pod that has the label and the variables needs the policy and the proxy: nothing more is taken away before it goes. */
const refuseKept = (want: EgressWant, rollout: Rollout | null): void => {
  const { key, value } = want.label
  if (!rollout || rollout.template.metadata?.labels?.[key] === value) return
  const kept = keptPods({ ...rollout, old: rollout.old.filter(it => it.metadata.labels?.[key] === value) })
  if (!kept) return
  throw new Problem(`${showWorkload(want)}: pods of it still leave by the proxy`, {
    why: keptText(kept),
    next: `${kept.renew}${kept.pods.length > 1 ? ', and so with each' : ''}; then run rollback.ts again`,
  })
}

/** `workloadEgress('client-a/curl-demo', { kubeconfig, namespace, kind: 'Deployment', name, label, env, containers })` */
export const workloadEgress = word(workloadEgressKind)

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

/** The word's name for one: its namespace, and what it is called there. */
export const egressName = (namespace: string, workload: WorkloadRef): string => `${namespace}/${calledAs(workload)}`
