import type { Loose } from './object.ts'
import { clone, isMap, same } from './object.ts'
import { mergeKey } from './schema.ts'
import { badRequest, internal, Refused } from './status.ts'

/** RFC 7396. */
export const mergePatch = (target: Loose, patch: Loose): Loose => {
  if (!isMap(patch)) return patch
  const result = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

type Operation = { op: string; path: string; from?: string; value?: Loose }

// The real one keeps to itself which operation failed, and why.
const failed = () => new Refused(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

const segments = (pointer: string): string[] => {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw failed()
  return pointer
    .slice(1)
    .split('/')
    .map(it => it.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const lookup = (document: Loose, path: string[]): Loose =>
  path.reduce((it, key) => (it === null || typeof it !== 'object' ? undefined : it[key]), document)

/** RFC 6902. A failed test or a path that is not there refuses the whole patch. */
export const jsonPatch = (target: Loose, operations: Operation[]): Loose => {
  if (!Array.isArray(operations))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  const box = { root: clone(target) }
  const act = (pointer: string, action: 'add' | 'remove' | 'replace', value?: Loose) => {
    const path = ['root', ...segments(pointer)]
    const key = path.pop()!
    const parent = lookup(box, path)
    if (Array.isArray(parent)) {
      const index = key === '-' && action === 'add' ? parent.length : Number(key)
      if (!Number.isInteger(index) || index < 0 || index > parent.length - (action === 'add' ? 0 : 1)) {
        throw failed()
      }
      if (action === 'add') parent.splice(index, 0, value)
      else parent.splice(index, 1, ...(action === 'replace' ? [value] : []))
    } else if (isMap(parent)) {
      if (action !== 'add' && !Object.hasOwn(parent, key)) throw failed()
      if (action === 'remove') delete parent[key]
      else parent[key] = value
    } else throw failed()
  }
  for (const { op, path, from, value } of operations) {
    if (op === 'add' || op === 'replace') act(path, op, clone(value))
    else if (op === 'remove') act(path, op)
    else if (op === 'test') {
      if (!same(lookup(box.root, segments(path)), value)) throw failed()
    } else if (op === 'copy' || op === 'move') {
      const found = clone(lookup(box.root, segments(from ?? '')))
      if (found === undefined) throw failed()
      if (op === 'move') act(from!, 'remove')
      act(path, 'add', found)
    } else throw failed()
  }
  return box.root
}

/** Kubernetes' own: lists of known kinds merge by key, `$patch`, `$setElementOrder` and `$retainKeys` are obeyed. */
export const strategicPatch = (target: Loose, patch: Loose, path: string[] = []): Loose => {
  if (!isMap(patch)) return patch
  if (patch.$patch === 'replace') return without(patch)
  if (patch.$patch === 'delete') return {}
  const retained: string[] | undefined = patch.$retainKeys
  const result: Record<string, Loose> = isMap(target) ? { ...target } : {}
  if (retained) for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key]
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    const inner = [...path, key]
    if (value === null) delete result[key]
    else if (Array.isArray(value)) result[key] = mergeList(result[key], value, inner)
    else result[key] = strategicPatch(result[key], value, inner)
  }
  for (const [directive, value] of Object.entries(patch)) {
    const [name, key] = directive.split('/') as [string, string | undefined]
    if (key === undefined) continue
    if (name === '$deleteFromPrimitiveList')
      result[key] = (result[key] ?? []).filter((it: Loose) => !value.includes(it))
    if (name === '$setElementOrder' && Array.isArray(result[key]))
      result[key] = ordered(result[key], value, [...path, key])
  }
  return result
}

const without = (patch: Record<string, Loose>) =>
  Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')))

const mergeList = (target: Loose, patch: Loose[], path: string[]): Loose[] => {
  const before: Loose[] = Array.isArray(target) ? target : []
  const name = path[path.length - 1]
  if (name === 'finalizers') return [...new Set([...before, ...patch])]
  const key = mergeKey(path)
  if (!key || patch.some(it => isMap(it) && it.$patch === 'replace'))
    return patch.filter(it => !isMap(it) || !it.$patch)
  const result = [...before]
  for (const item of patch) {
    if (!isMap(item) || item[key] === undefined)
      throw internal(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const index = result.findIndex(it => it[key] === item[key])
    if (item.$patch === 'delete') {
      if (index >= 0) result.splice(index, 1)
    } else if (index >= 0) result[index] = strategicPatch(result[index], item, path)
    else result.push(strategicPatch({}, item, path))
  }
  return result
}

/** Items named in the order come in that order; the others keep their place after what they followed. */
const ordered = (items: Loose[], order: Loose[], path: string[]): Loose[] => {
  const key = mergeKey(path)
  const id = (it: Loose) => (key && isMap(it) ? it[key] : it)
  const rank = new Map(order.map((it, index) => [id(it), index]))
  const listed = items.filter(it => rank.has(id(it))).sort((a, b) => rank.get(id(a))! - rank.get(id(b))!)
  return items.map(it => (rank.has(id(it)) ? listed.shift() : it))
}
