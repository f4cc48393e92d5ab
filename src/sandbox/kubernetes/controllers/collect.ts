import type { Api } from '../api/api.ts'
import type { Obj } from '../objects/object.ts'
import { same, withCondition } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { kind, resources } from '../objects/resources.ts'
import type { Store, StoreEvent } from '../objects/store.ts'

type Kept = { of: Resource; object: Obj }
const me = 'kube-controller-manager'

/**
 * The garbage collector: what belongs to an owner goes with it (background, foreground, orphan), and a namespace
 * takes its content along. Give it every event through `happened`; it works when `settle` is called.
 */
export const createCollector = (store: Store, api: Api) => {
  const dependents = new Map<string, Map<string, Kept>>()
  const pending = new Map<string, Kept>()

  const index = ({ of, type, object, before }: StoreEvent) => {
    for (const { uid } of before?.metadata.ownerReferences ?? []) dependents.get(uid)?.delete(object.metadata.uid)
    if (type === 'DELETED') return
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const found = dependents.get(uid) ?? new Map<string, Kept>()
      dependents.set(uid, found)
      found.set(object.metadata.uid, { of, object })
    }
  }

  const ownersOf = (object: Obj) =>
    (object.metadata.ownerReferences ?? []).map(ref => {
      const of = resources.find(it => it.kind === ref.kind)
      const owner = of && store.get(of, of.namespaced ? object.metadata.namespace : undefined, ref.name)
      return { ref, owner: owner?.metadata.uid === ref.uid ? owner : undefined }
    })

  const removeQuietly = (of: Resource, object: Obj, propagationPolicy?: string) => {
    if (!store.get(of, object.metadata.namespace, object.metadata.name)) return
    api.remove(of, object.metadata.namespace, object.metadata.name, propagationPolicy ? { propagationPolicy } : {})
  }

  /** It belongs to that owner no more. */
  const letGo = ({ of, object }: Kept, uid: string) =>
    api.modify(
      of,
      object,
      it => {
        it.metadata.ownerReferences = it.metadata.ownerReferences!.filter(ref => ref.uid !== uid)
      },
      me,
    )

  const dependent = ({ of, object }: Kept) => {
    const current = store.get(of, object.metadata.namespace, object.metadata.name)
    if (current?.metadata.uid !== object.metadata.uid || current.metadata.deletionTimestamp) return
    const owners = ownersOf(current)
    if (owners.length === 0) return
    const alive = owners.filter(it => it.owner)
    if (alive.length === 0) removeQuietly(of, current)
    else if (alive.length < owners.length) {
      api.modify(
        of,
        current,
        it => {
          it.metadata.ownerReferences = alive.map(found => found.ref)
        },
        me,
      )
    }
  }

  const owner = ({ of, object }: Kept) => {
    const current = store.get(of, object.metadata.namespace, object.metadata.name)
    if (current?.metadata.uid !== object.metadata.uid || !current.metadata.deletionTimestamp) return
    const { uid, finalizers = [] } = current.metadata
    const mine = [...(dependents.get(uid)?.values() ?? [])]
    const done = (name: string) =>
      api.modify(
        of,
        current,
        it => {
          it.metadata.finalizers = it.metadata.finalizers!.filter(its => its !== name)
        },
        me,
      )
    if (finalizers.includes('orphan')) {
      for (const it of mine) letGo(it, uid)
      done('orphan')
    } else if (finalizers.includes('foregroundDeletion')) {
      for (const it of mine) {
        if (it.object.metadata.deletionTimestamp) continue
        const others = ownersOf(it.object).filter(its => its.owner && its.ref.uid !== uid)
        if (others.length === 0) removeQuietly(it.of, it.object, 'Foreground')
        else letGo(it, uid)
      }
      if (!dependents.get(uid)?.size) done('foregroundDeletion')
    }
  }

  const namespace = (object: Obj) => {
    const { name } = object.metadata
    const content = resources
      .filter(it => it.namespaced)
      .flatMap(of => store.list(of, name).map(it => ({ of, object: it })))
    for (const it of content) if (!it.object.metadata.deletionTimestamp) removeQuietly(it.of, it.object)
    const left = resources
      .filter(it => it.namespaced)
      .flatMap(of => store.list(of, name).map(it => ({ of, object: it })))
    if (left.length > 0) return say(object, left)
    if (!object.metadata.finalizers?.length) store.remove(kind('Namespace'), object)
  }

  /** What a namespace waits for. */
  const say = (home: Obj, left: Kept[]) => {
    const count = (names: string[]) =>
      [...new Set(names)].map(name => [name, names.filter(it => it === name).length] as const)
    const content = count(left.map(({ of }) => (of.group ? `${of.plural}.${of.group}` : of.plural)))
    const finalizers = count(left.flatMap(it => it.object.metadata.finalizers ?? []))
    const remaining = content.map(([name, n]) => `${name} has ${n} resource instances`).join(', ')
    const held = finalizers.map(([name, n]) => `${name} in ${n} resource instances`).join(', ')
    const told: [string, string, string, string][] = [
      ['NamespaceContentRemaining', 'SomeResourcesRemain', 'True', `Some resources are remaining: ${remaining}`],
      held
        ? [
            'NamespaceFinalizersRemaining',
            'SomeFinalizersRemain',
            'True',
            `Some content in the namespace has finalizers remaining: ${held}`,
          ]
        : [
            'NamespaceFinalizersRemaining',
            'ContentHasNoFinalizers',
            'False',
            'All content-preserving finalizers finished',
          ],
    ]
    const conditions = told.reduce(
      (all, [type, reason, status, message]) => withCondition(all, { type, status, reason, message }),
      home.status?.conditions,
    )
    if (!same(conditions, home.status?.conditions))
      store.put(kind('Namespace'), { ...home, status: { ...home.status, conditions } })
  }

  const terminating = new Set<string>()

  for (const object of store.all()) {
    const of = resources.find(it => it.kind === object.kind)!
    index({ of, type: 'ADDED', object, before: undefined, version: 0 })
    pending.set(object.metadata.uid, { of, object })
    if (of.kind === 'Namespace' && object.metadata.deletionTimestamp) terminating.add(object.metadata.name)
  }

  return {
    happened(event: StoreEvent) {
      index(event)
      const { of, type, object } = event
      if (type === 'DELETED') {
        for (const it of dependents.get(object.metadata.uid)?.values() ?? []) pending.set(it.object.metadata.uid, it)
        dependents.delete(object.metadata.uid)
        // A foreground owner waits for the last of these.
        for (const it of ownersOf(object)) {
          const its = it.owner && resources.find(found => found.kind === it.ref.kind)
          if (its) pending.set(it.ref.uid, { of: its, object: it.owner! })
        }
      } else if (object.metadata.deletionTimestamp || type === 'ADDED') pending.set(object.metadata.uid, { of, object })
      if (of.kind === 'Namespace' && object.metadata.deletionTimestamp) terminating.add(object.metadata.name)
      if (of.kind === 'Namespace' && type === 'DELETED') terminating.delete(object.metadata.name)
    },
    /** Removes what is due. Removing makes more events, so it is called until nothing is left. */
    settle() {
      while (pending.size > 0) {
        const work = [...pending.values()]
        pending.clear()
        for (const it of work) {
          owner(it)
          dependent(it)
        }
      }
      for (const name of terminating) {
        const found = store.get(kind('Namespace'), undefined, name)
        if (found) namespace(found)
      }
    },
    get isIdle() {
      return pending.size === 0
    },
  }
}
