import type { Caller } from '../admission/rbac.ts'
import type { Obj } from '../objects/object.ts'
import { clone, now } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { forbidden, notTheOne } from '../objects/status.ts'

export type Deletion = {
  gracePeriodSeconds?: number
  propagationPolicy?: string
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: boolean
  caller?: Caller
  warn?(text: string): void
}

const permanent = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

/** Throws for what must not go, and for another object than the one that was meant. */
export const refuseDeletion = (of: Resource, { metadata }: Obj, { preconditions = {} }: Deletion): void => {
  const { name } = metadata
  const { uid, resourceVersion } = preconditions
  if (uid && uid !== metadata.uid) throw notTheOne(of, name, 'UID', uid, metadata.uid)
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw notTheOne(of, name, 'ResourceVersion', resourceVersion, metadata.resourceVersion)
  if (of.kind === 'Namespace' && permanent.has(name)) throw forbidden(of, name, 'this namespace may not be deleted')
}

const FINALIZERS: Record<string, string[]> = { Foreground: ['foregroundDeletion'], Orphan: ['orphan'] }

/** The object marked for deletion, with what it waits for; null: it waits for nothing. */
export const marked = (of: Resource, before: Obj, options: Deletion): Obj | null => {
  const { metadata } = before
  const grace = of.kind === 'Pod' ? podGrace(before, options.gracePeriodSeconds) : 0
  const extra = FINALIZERS[options.propagationPolicy ?? ''] ?? []
  const finalizers = [...new Set([...(metadata.finalizers ?? []), ...extra])]
  if (grace === 0 && finalizers.length === 0 && of.kind !== 'Namespace') return null
  const draft = clone(before)
  draft.metadata.deletionTimestamp ??= new Date(Date.now() + grace * 1000).toISOString().slice(0, 19).concat('Z')
  if (of.kind === 'Pod')
    draft.metadata.deletionGracePeriodSeconds = Math.min(grace, metadata.deletionGracePeriodSeconds ?? grace)
  else if (of.kind !== 'Namespace') draft.metadata.deletionGracePeriodSeconds = 0
  if (finalizers.length > 0) draft.metadata.finalizers = finalizers
  if (of.kind === 'Namespace') draft.status = { ...draft.status, phase: 'Terminating' }
  return draft
}

/** What a deletion that waited for nothing answers: of a pod with the marks that it never had in the store. */
export const lastSeen = (of: Resource, object: Obj): Obj => {
  if (of.kind !== 'Pod') return object
  const marks = { deletionTimestamp: now(), deletionGracePeriodSeconds: 0 }
  return { ...object, metadata: { ...object.metadata, ...marks } }
}

const podGrace = (pod: Obj, asked?: number): number => {
  const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  return !pod.spec?.nodeName || finished ? 0 : (asked ?? pod.spec.terminationGracePeriodSeconds ?? 30)
}

/** Marked for deletion and nothing left to wait for. Namespaces and running pods are finished by their controllers. */
export const isFinished = (of: Resource, { metadata }: Obj): boolean =>
  !!metadata.deletionTimestamp &&
  !metadata.finalizers?.length &&
  of.kind !== 'Namespace' &&
  (of.kind !== 'Pod' || metadata.deletionGracePeriodSeconds === 0)
