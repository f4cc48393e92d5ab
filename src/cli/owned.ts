import type { Desired } from '../engine/desired.ts'
import type { Owned } from '../scaleway/leftovers.ts'

/** The id of the Desired that an owned thing was made for. SSH keys carry their context in their names. */
export const idOf = ({ kind, name }: Pick<Owned, 'kind' | 'name'>): string =>
  `${kind}/${kind === 'ssh-key' ? name.split('/').slice(2).join('/') : name}`

/** As a line of a list: what, which one, and where. */
export const lineOf = (owned: Owned): string => {
  const { id, zone, name } = owned
  const notes = [...(name === id ? [] : [id]), ...(zone ? [zone] : [])]
  return `${idOf(owned)}${notes.length > 0 ? `  (${notes.join(', ')})` : ''}`
}

/** The ids that are asked for. What a thing is called in its tags is what its want says, not its id. */
export const wantedBy = (desired: readonly Pick<Desired, 'id' | 'kind' | 'want'>[]): Set<string> =>
  new Set(
    desired.flatMap(({ id, kind, want }) => {
      const { name } = (want ?? {}) as { name?: unknown }
      return typeof name === 'string' ? [id, `${kind.name}/${name}`] : [id]
    }),
  )

/**
 * What this context made and the inventory no longer asks for: nobody wants it, or another of its name stands where
 * the context is now. What has no tags of its own goes with its parent; a volume with its server; a server that was
 * never tagged is known by an address of ours.
 */
export const orphansIn = (owned: readonly Owned[], wanted: ReadonlySet<string>, zones: readonly string[]): Owned[] => {
  const names = owned.map(idOf)
  const isTwin = (it: Owned) => names.filter(id => id === idOf(it)).length > 1
  const isLost = (it: Owned) =>
    !wanted.has(it.kind === 'root-volume' ? `server/${it.name}` : idOf(it)) ||
    (isTwin(it) && it.zone !== undefined && !zones.includes(it.zone))
  const lost = new Set(owned.filter(it => (it.tagged || it.kind === 'server') && isLost(it)).map(it => it.id))
  return owned.filter(it => lost.has(it.id) || (!it.tagged && it.parent !== undefined && lost.has(it.parent)))
}

/** What the inventory protects; what has no name of its own is as protected as its parent. */
export const protectedOf = (owned: readonly Owned[], ids: ReadonlySet<string>): Owned[] => {
  const parents = new Map(owned.map(it => [it.id, it]))
  return owned.filter(it => {
    const parent = it.tagged || it.parent === undefined ? undefined : parents.get(it.parent)
    return ids.has(idOf(it)) || (parent !== undefined && ids.has(idOf(parent)))
  })
}
