import { setTimeout as delay } from 'node:timers/promises'
import { word } from '../engine/desired.ts'
import type { Json } from '../engine/json.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import { awaitRollout } from './await-rollout.ts'
import { refuseForbidden } from './guard.ts'
import { detail, differences } from './kube/difference.ts'
import { appliedBy, holders, leaves, lookup } from './kube/fields.ts'
import { type Kube, MANAGER } from './kube/kube.ts'
import { idOf, type KubeObject, type ManagedFields, type ObjectId, showId } from './kube/object.ts'
import { applyOurs, bare, type Earlier, earlierValues, names, ownedPart, restore } from './kube/ownership.ts'
import { refuseOthersWork } from './tenancy.ts'

export type Clients = { kube: (kubeconfig: string) => Kube }

export type Want = {
  kubeconfig: string
  object: KubeObject
  /** Another name keeps the fields of two wants on one object apart. */
  manager?: string
}

export type Live = {
  uid: string
  /** Without status and bookkeeping. */
  object: KubeObject
  /** The part that our manager applied; what undo goes back to. */
  owned: KubeObject | null
  managers: ManagedFields[]
  earlier: Earlier[]
}

/** One Kubernetes object, or our fields of one, held by server-side apply. */
export const manifestKind: Kind<Want, Live, Clients> = {
  name: 'kube-object',
  looksThroughParents: true,
  takes: { create: 2, update: 2 },
  async read({ kubeconfig, object, manager }, { kube }) {
    refuseSecrets(object)
    const live = await kube(kubeconfig).get(idOf(object))
    return live && !live.metadata.deletionTimestamp ? liveOf(live, object, manager) : null
  },
  diff({ object, manager = MANAGER }, live) {
    refuseForbidden(object)
    const id = showId(idOf(object))
    if (!live) return { action: 'create', summary: id }
    const ours = appliedBy(
      { ...live.object, metadata: { ...live.object.metadata, managedFields: live.managers } },
      manager,
    )
    const changed = differences(object, live.object).map(it =>
      detail(it, names(holders(live.managers, it.path, manager))),
    )
    const unwanted = leaves(ours ?? {})
      .filter(path => !path[0]?.startsWith('f:status') && lookup(object, path) === undefined)
      .map(path => detail({ path, from: lookup(live.object, path), to: undefined }))
    const details = [...changed, ...unwanted]
    if (details.length > 0) return { action: 'update', summary: id, details }
    // Somebody made it just as wanted: it works, but it is not ours to hold.
    return ours ? null : { action: 'update', summary: `${id}: take ownership of its fields` }
  },
  async apply({ kubeconfig, object, manager }, { kube }, _live, report) {
    refuseSecrets(object)
    refuseForbidden(object)
    const cluster = kube(kubeconfig)
    const id = idOf(object)
    await untilGone(cluster, id, report, leaving => leaving)
    const before = await cluster.get(id)
    const { object: after, mended } = await applyOurs(cluster, object, before, manager)
    for (const { field, from } of mended) report.progress(`${showId(id)}: took ${field} back from ${from}`)
    if (object.kind === 'Deployment' && id.namespace) {
      await awaitRollout(cluster, { kind: 'Deployment', namespace: id.namespace, name: id.name }, report)
    }
    return liveOf(after, object, manager)
  },
  async undo({ kubeconfig, object, manager = MANAGER }, { kube }, before, now, report) {
    const cluster = kube(kubeconfig)
    const id = idOf(object)
    const live = await cluster.get(id)
    if (!live) return
    const uid = (now ?? before)?.uid
    // Another object under the same name is somebody else's. With no uid known, our entry tells.
    if (uid ? live.metadata.uid !== uid : !appliedBy(live, manager)) return
    if (before) {
      if (!appliedBy(live, manager) && !before.owned) return
      const { object: after } = await applyOurs(cluster, before.owned ?? bare(object), live, manager)
      await restore(cluster, after, before.earlier)
      if (object.kind === 'Deployment' && id.namespace) {
        await awaitRollout(cluster, { kind: 'Deployment', namespace: id.namespace, name: id.name }, report)
      }
      return
    }
    if (object.kind === 'Namespace') await refuseOthersWork(cluster, id.name)
    await cluster.delete(id, { ...(live.metadata.uid && { uid: live.metadata.uid }) })
    await untilGone(cluster, id, report, (_leaving, found) => found.metadata.uid === live.metadata.uid)
  },
}

/** `manifest('client-a namespace', { kubeconfig, object: namespace('client-a-demo') })` */
export const manifest = word(manifestKind)

const liveOf = (live: KubeObject, want: KubeObject, manager = MANAGER): Live => ({
  uid: live.metadata.uid ?? '',
  object: prune(live),
  owned: ownedPart(live, manager),
  managers: (live.metadata.managedFields ?? []).filter(it => !it.subresource),
  earlier: earlierValues(live, want, manager),
})

/** Without what changes by itself, so that two looks at the same thing are equal. */
const prune = ({ status: _status, metadata, ...rest }: KubeObject): KubeObject => {
  const { name, namespace, labels, annotations } = metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !BOOKKEEPING.has(key))
  return {
    ...rest,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
    },
  } as KubeObject
}

const BOOKKEEPING = new Set(['deployment.kubernetes.io/revision', 'kubectl.kubernetes.io/last-applied-configuration'])

/** What is wanted and what is live go to the journal, and no secret may. */
const refuseSecrets = (object: KubeObject): void => {
  if (object.kind !== 'Secret') return
  throw new Problem(`${showId(idOf(object))}: not applied`, {
    why: 'a Secret would be written to the journal',
    next: 'make the Secret with the tool that keeps your secrets, and refer to it by name',
    exit: 2,
  })
}

const untilGone = async (
  kube: Kube,
  id: ObjectId,
  report: Parameters<typeof awaitRollout>[2],
  isAwaited: (leaving: boolean, found: KubeObject) => boolean,
): Promise<void> => {
  const start = performance.now()
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const found = await kube.get(id)
    if (!found || !isAwaited(found.metadata.deletionTimestamp !== undefined, found)) return
    report.waiting(`${showId(id)}: going away`)
    if (performance.now() - start > GONE_MS) {
      const held = (found.metadata as { finalizers?: Json }).finalizers
      throw new Problem(`${showId(id)}: still there after ${GONE_MS / 1000} s`, {
        why: held ? `finalizers hold it: ${JSON.stringify(held)}` : 'the cluster has not finished deleting it',
        next: `kubectl describe ${id.kind.toLowerCase()} ${id.name}, then run again`,
      })
    }
    await delay(pause, undefined, { signal: report.signal })
  }
}

const GONE_MS = 120_000
