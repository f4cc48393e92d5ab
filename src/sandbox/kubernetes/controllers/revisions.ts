import { createHash } from 'node:crypto'
import type { Api } from '../api/api.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { clone, same, stable } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { ownerReference } from './replicasets.ts'

const me = 'kube-controller-manager'
export const revisionLabel = 'controller-revision-hash'

/** The templates that a StatefulSet or DaemonSet has had, newest last, with the present one numbered highest. */
export const revisions = (store: Store, api: Api, set: Obj): { all: Obj[]; update: Obj } => {
  const of = kind('ControllerRevision')
  const listed = () => store.controlledBy(of, set.metadata.uid).sort((a, b) => a.revision - b.revision)
  const all = listed()
  const data = { spec: { template: { ...set.spec.template, $patch: 'replace' } } }
  const newest = all.at(-1)
  const found = all.find(it => same(it.data, data))
  if (found && found === newest) return { all, update: found }
  const revision = (newest?.revision ?? 0) + 1
  if (found) {
    const raise = (it: Obj) => {
      it.revision = revision
    }
    api.modify(of, found, raise, me)
  } else {
    const hash = createHash('sha256').update(stable(data)).digest().subarray(0, 10)
    const name = `${set.metadata.name}-${[...hash].map(it => 'bcdfghjklmnpqrstvwxz2456789'[it % 27]).join('')}`
    const labels = { ...set.spec.template.metadata?.labels, [revisionLabel]: name }
    const { namespace } = set.metadata
    const metadata = { name, namespace, labels, ownerReferences: [ownerReference(set)] }
    const body = { metadata, data, revision } as unknown as Obj
    api.create(of, namespace, body, { manager: me, internal: true })
  }
  const now = listed()
  return { all: now, update: now.at(-1)! }
}

export const templateOf = (revision: Obj): Loose => {
  const { $patch: _, ...template } = clone(revision.data.spec.template)
  return template
}

export const revisionOf = (pod: Obj): string | undefined => pod.metadata.labels?.[revisionLabel]

/** Those that no pod has and that nothing names go, but for as many as the history keeps. */
export const forgetRevisions = (api: Api, set: Obj, all: Obj[], inUse: Set<string | undefined>) => {
  const idle = all.filter(it => !inUse.has(it.metadata.name))
  const surplus = idle.slice(0, Math.max(0, idle.length - set.spec.revisionHistoryLimit))
  for (const it of surplus) api.remove(kind('ControllerRevision'), it.metadata.namespace, it.metadata.name)
}
