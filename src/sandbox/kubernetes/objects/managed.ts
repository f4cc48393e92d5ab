import type { Fields } from './fields.ts'
import { describe, fromFieldsV1, isUnder, leaves, steps, toFieldsV1, withAncestors } from './fields.ts'
import { mergeApplied, without } from './merge.ts'
import type { Loose, ManagedEntry, Obj } from './object.ts'
import { now, same } from './object.ts'
import { Refused } from './status.ts'

/** Who writes: managers differ by name, by the way they write and by the subresource. */
export type Writer = { manager: string; apiVersion: string; subresource?: string | undefined }

type Owner = { entry: ManagedEntry; fields: Fields }

const isOwn = (entry: ManagedEntry, who: Writer, operation: 'Apply' | 'Update') =>
  entry.manager === who.manager && entry.operation === operation && entry.subresource === who.subresource

const read = new WeakMap<ManagedEntry, Fields>()

/** The fields of an entry, to be read only. Those of stored objects are asked for at every write and never change. */
const fieldsIn = (entry: ManagedEntry): Fields => {
  const known = read.get(entry)
  if (known) return known
  const fields = fromFieldsV1(entry.fieldsV1)
  if (Object.isFrozen(entry)) read.set(entry, fields)
  return fields
}

const owners = (entries: ManagedEntry[] = []): Owner[] =>
  entries.filter(it => it.manager).map(entry => ({ entry, fields: fieldsIn(entry) }))

/** Who owned fields that are gone owns them no more; an entry that owns nothing is dropped. */
const settle = (all: Owner[], { exists, taken, by }: { exists: Fields; taken: Fields; by: Owner }): ManagedEntry[] =>
  all
    .map(it => {
      const fields = new Set([...it.fields].filter(path => exists.has(path) && (it === by || !taken.has(path))))
      if (it.fields === read.get(it.entry) && fields.size === it.fields.size) return { fields, entry: it.entry }
      const fieldsV1 = toFieldsV1(fields)
      return { fields, entry: same(fieldsV1, it.entry.fieldsV1) ? it.entry : { ...it.entry, fieldsV1, time: now() } }
    })
    .filter(it => it.fields.size > 0)
    .map(it => it.entry)
    .sort((a, b) => (a.operation === b.operation ? 0 : a.operation === 'Apply' ? -1 : 1))

const entryOf = (who: Writer, operation: 'Apply' | 'Update'): ManagedEntry => ({
  manager: who.manager,
  operation,
  apiVersion: who.apiVersion,
  time: now(),
  fieldsType: 'FieldsV1',
  fieldsV1: {},
  ...(who.subresource && { subresource: who.subresource }),
})

/** This writer's owner among them, added when it is new. */
const ownerIn = (all: Owner[], who: Writer, operation: 'Apply' | 'Update'): Owner => {
  const found = all.find(it => isOwn(it.entry, who, operation))
  if (found) return found
  const added = { entry: entryOf(who, operation), fields: new Set<string>() }
  all.push(added)
  return added
}

/** The owners after a create, update or patch: the writer has what it changed, the others lose that. */
export const trackUpdate = (
  entries: ManagedEntry[] | undefined,
  before: Obj | null,
  after: Obj,
  who: Writer,
): ManagedEntry[] => {
  const [wasIn, isIn]: Fields[] = [new Set(), new Set()]
  const was = before ? leaves(before, wasIn) : new Map<string, Loose>()
  const is = leaves(after, isIn)
  const belongs = (path: string) =>
    (who.subresource === 'status') === (path === 'f:status' || isUnder(path, 'f:status'))
  const changed: Fields = new Set()
  for (const [path, value] of is)
    if (belongs(path) && (!was.has(path) || !same(was.get(path), value))) changed.add(path)
  for (const path of isIn!) if (belongs(path) && !wasIn!.has(path) && !was.has(path)) changed.add(path)
  const all = owners(entries)
  const by = ownerIn(all, who, 'Update')
  if ([...changed].some(path => !by.fields.has(path))) by.fields = new Set([...by.fields, ...changed])
  return settle(all, { exists: withAncestors(is.keys()), taken: changed, by })
}

/**
 * Server-side apply: lays the configuration over the object, removes what this manager applied before and no
 * longer does and nobody else owns, and says who owns what then. Throws 409 with a cause for each field that
 * another manager holds at another value, unless forced.
 */
export const applyConfiguration = (
  live: Obj | null,
  applied: Obj,
  who: Writer,
  force: boolean,
): { merged: Obj; entries: ManagedEntry[] } => {
  const { managedFields: _m, ...metadata } = applied.metadata
  const fields: Fields = new Set(leaves(applied).keys())
  const all = owners(live?.metadata.managedFields)
  const by = ownerIn(all, who, 'Apply')
  const others = all.filter(it => it !== by)
  const laid = mergeApplied(live ?? {}, { ...applied, metadata })
  const was = live ? leaves(live) : new Map<string, Loose>()
  const changed = new Set(
    [...leaves(laid)].filter(([path, value]) => !was.has(path) || !same(was.get(path), value)).map(it => it[0]),
  )
  const conflicts = others.flatMap(({ entry, fields }) =>
    [...fields].filter(path => changed.has(path)).map(path => ({ entry, path })),
  )
  if (conflicts.length > 0 && !force) throw conflictOf(conflicts)
  // What is given up is in nobody's way: a map that is empty then is not one that was set.
  const merged = giveUp(laid, by.fields, fields, others)
  by.fields = fields
  return { merged, entries: settle(all, { exists: withAncestors(leaves(merged).keys()), taken: changed, by }) }
}

const giveUp = (object: Obj, before: Fields, after: Fields, others: Owner[]): Obj => {
  const kept = withAncestors(after)
  const elsewhere = withAncestors(others.flatMap(it => [...it.fields]))
  const gone = [...before].filter(path => !kept.has(path) && !elsewhere.has(path))
  const all = new Set(gone)
  const isKeyOfKeptItem = (path: string) => {
    const parts = steps(path)
    const key = parts.pop()!.slice(2)
    const item = parts[parts.length - 1]
    return !!item?.startsWith('k:') && key in JSON.parse(item.slice(2)) && !all.has(parts.join('\n'))
  }
  return gone
    .filter(path => !isKeyOfKeptItem(path))
    .sort((a, b) => a.length - b.length)
    .reduce((it, path) => without(it, path), object)
}

const conflictOf = (conflicts: { entry: ManagedEntry; path: string }[]): Refused => {
  const causes = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${entry.manager}"${entry.subresource ? ` with subresource "${entry.subresource}"` : ''}${entry.operation === 'Update' ? ` using ${entry.apiVersion}` : ''}`,
    field: describe(path),
  }))
  const only = causes[0]!
  const text =
    causes.length === 1
      ? `${only.message}: ${only.field}`
      : [...new Set(causes.map(it => it.message))]
          .map(message => [
            message.replace('conflict', 'conflicts'),
            ...causes.filter(it => it.message === message).map(it => `- ${it.field}`),
          ])
          .map(([head, ...lines]) => `${head}:\n${lines.join('\n')}`)
          .join('\n')
  const plural = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`
  return new Refused(409, 'Conflict', `Apply failed with ${plural}: ${text}`, { causes })
}
