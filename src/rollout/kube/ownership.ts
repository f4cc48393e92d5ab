import type { Json } from '../../engine/json.ts'
import { differences } from './difference.ts'
import { appliedBy, extract, holders, holds, lookup, type Path, show, treeOf } from './fields.ts'
import { type Kube, MANAGER } from './kube.ts'
import { type Fields, idOf, type KubeObject, type ManagedFields } from './object.ts'
import { KubeProblem } from './problem.ts'

/*
 * When a field may be taken by force.
 *
 * A conflict is never forced, with one exception: on an object that our manager has applied, a field that somebody
 * changed later by hand (operation `Update`) is drift of ours and is mended. Another manager's `Apply`, and a field
 * that was never ours, stop with a Problem that names manager and field. An item of a keyed list (a container) that
 * holds nothing of ours was never ours.
 */

/** Differences on fields that others hold, and whether each is drift of ours. */
export const contested = (want: Json, live: KubeObject, manager: string) => {
  const ours = appliedBy(live, manager)
  const entries = live.metadata.managedFields ?? []
  return differences(want, live).flatMap(difference => {
    const others = holders(entries, difference.path, manager)
    const byHand = others.every(it => it.operation === 'Update' && it.manager !== manager)
    return others.length === 0
      ? []
      : [{ difference, others, drift: ours !== null && byHand && wasOurs(ours, difference.path) }]
  })
}

/** Every keyed item on the way is still partly ours: its key stays ours when somebody changes a value in it. */
const wasOurs = (ours: Fields, path: Path): boolean =>
  path.every((step, index) => !step.startsWith('k:') || holds(ours, path.slice(0, index + 1)))

/**
 * Server-side apply under the rule above. Returns the object and the fields that were taken back.
 * `live` is what the decision is made on: if the object moved since, it is read and decided anew.
 */
export const applyOurs = async (
  kube: Kube,
  want: KubeObject,
  live: KubeObject | null,
  manager = MANAGER,
): Promise<{ object: KubeObject; mended: { field: string; from: string }[] }> => {
  let seen = live
  for (let attempt = 1; ; attempt++) {
    try {
      return { object: await kube.apply(want, { manager }), mended: [] }
    } catch (thrown) {
      if (!(thrown instanceof KubeProblem) || thrown.conflicts.length === 0 || !seen) throw thrown
      const fields = contested(want, seen, manager)
      if (fields.length === 0 || !fields.every(it => it.drift)) {
        // The first look may be older than the conflict.
        if (attempt > 1) throw thrown
        seen = await kube.get(idOf(want))
        continue
      }
      const { resourceVersion } = seen.metadata
      // The version makes the force hold for exactly what was looked at.
      const exact = { ...want, metadata: { ...want.metadata, ...(resourceVersion && { resourceVersion }) } }
      try {
        const object = await kube.apply(exact, { manager, force: true })
        const mended = fields.map(it => ({ field: show(it.difference.path), from: names(it.others) }))
        return { object, mended }
      } catch (moved) {
        if (!(moved instanceof KubeProblem) || moved.status !== 409 || attempt > 4) throw moved
        seen = await kube.get(idOf(want))
      }
    }
  }
}

export const names = (entries: ManagedFields[]): string => [...new Set(entries.map(it => it.manager))].join(', ')

/** What our manager owns of an object, as an object that can be applied again. Null: nothing. */
export const ownedPart = (object: KubeObject, manager: string): KubeObject | null => {
  const fields = appliedBy(object, manager)
  if (!fields) return null
  const { apiVersion, kind, metadata } = object
  const part = extract(object, fields) as Partial<KubeObject>
  return {
    ...part,
    apiVersion,
    kind,
    metadata: {
      ...part.metadata,
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    },
  }
}

/** Nothing but the identity: applying it gives up every field of ours. */
export const bare = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
})

/** A value that stood before we took its field, and who had put it there. */
export type Earlier = { path: Path; value: Json; manager: string }

/** Values at `paths` that somebody else holds: what is to come back when we give the fields up. */
export const earlierValues = (live: KubeObject, want: Json, manager: string): Earlier[] =>
  contested(want, live, manager).flatMap(({ difference: { path, from }, others }) =>
    from === undefined ? [] : [{ path, value: from, manager: others[0]?.manager ?? MANAGER }],
  )

/** Puts earlier values back under the name of who had them. Only where nobody has set anything since. */
export const restore = async (kube: Kube, object: KubeObject, earlier: Earlier[]): Promise<KubeObject> => {
  let now = object
  for (const { path, value, manager } of earlier) {
    // A container that is gone is not made again from one of its values.
    const lostItem = path.some(
      (step, index) => step.startsWith('k:') && index < path.length - 2 && !lookup(now, path.slice(0, index + 1)),
    )
    if (lookup(now, path) !== undefined || lostItem) continue
    const patch = extract(build(path, value), treeOf([path]))
    now = await kube.patch(idOf(object), { strategic: patch }, { manager })
  }
  return now
}

/** The smallest value that has `value` at `path`. */
const build = ([step, ...rest]: Path, value: Json): Json => {
  if (step === undefined) return value
  const inner = build(rest, value)
  if (step.startsWith('f:')) return { [step.slice(2)]: inner }
  return [{ ...(JSON.parse(step.slice(2)) as Record<string, Json>), ...(inner as Record<string, Json>) }]
}
