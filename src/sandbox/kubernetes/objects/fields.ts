import type { Loose } from './object.ts'
import { isMap, stable } from './object.ts'
import { isAtomicMap, itemKey, listType } from './schema.ts'

/**
 * Sets of fields as server-side apply knows them. A path is steps joined by newlines: `f:spec`, `k:{"name":"a"}`
 * for an item of a list that is a map, `v:"x"` for one of a set. FieldsV1 is the same as a tree.
 */
export type Fields = Set<string>

const separator = '\n'
export const steps = (path: string): string[] => path.split(separator)
const join = (parts: string[]): string => parts.join(separator)

// The server's own; nobody owns them.
const unowned = new Set(['f:apiVersion', 'f:kind'])
const unownedMeta = new Set(
  'name namespace uid resourceVersion creationTimestamp deletionTimestamp deletionGracePeriodSeconds generation managedFields selfLink'
    .split(' ')
    .map(it => `f:${it}`),
)
const isOwned = ([first, second]: string[]) =>
  !unowned.has(first!) && !(first === 'f:metadata' && (second === undefined || unownedMeta.has(second)))

// Members that are there, if empty, as soon as what they are members of is: nobody adds them.
const everThere = new Set(
  'metadata spec status template jobTemplate strategy updateStrategy containers loadBalancer source'.split(' '),
)

/**
 * Every field that has a value of its own, with that value; an item of a map-list stands for itself as '.'. `shells`
 * hears of maps and lists with something in them, that somebody once added.
 */
export const leaves = (object: Loose, shells?: Fields): Map<string, Loose> => {
  const found = new Map<string, Loose>()
  const shell = (parts: string[], names: string[]) => {
    if (shells && parts.length > 0 && isOwned(parts) && !everThere.has(names.at(-1)!)) shells.add(join(parts))
  }
  const add = (parts: string[], value: Loose) => {
    if (parts.length > 0 && isOwned(parts)) found.set(join(parts), value)
  }
  const visit = (value: Loose, parts: string[], names: string[]): unknown => {
    if (isMap(value)) return visitMap(value, parts, names)
    if (Array.isArray(value)) return visitList(value, parts, names)
    return value === undefined ? undefined : add(parts, value)
  }
  const visitMap = (value: Record<string, Loose>, parts: string[], names: string[]) => {
    const members = Object.entries(value).filter(([, it]) => it !== undefined)
    // The metadata of a template is always there, so that nobody owns it.
    if (members.length === 0 && names.at(-1) === 'metadata') return
    if (members.length === 0 || isAtomicMap(names)) return add(parts, value)
    if (!parts.at(-1)?.startsWith('k:')) shell(parts, names)
    for (const [key, it] of members) visit(it, [...parts, `f:${key}`], [...names, key])
  }
  const visitList = (value: Loose[], parts: string[], names: string[]) => {
    const type = listType(names)
    if (type.type === 'set') shell(parts, names)
    if (type.type === 'set') for (const it of value) add([...parts, `v:${JSON.stringify(it)}`], it)
    const keys = type.type === 'map' ? value.map(it => isMap(it) && itemKey(it, type.keys)) : []
    const unique = new Set(keys.map(stable)).size === value.length && keys.every(Boolean)
    if (type.type === 'atomic' || (type.type === 'map' && (!unique || value.length === 0))) return add(parts, value)
    if (type.type !== 'map') return
    shell(parts, names)
    value.forEach((it, index) => {
      const item = [...parts, `k:${stable(keys[index])}`]
      add(item, '.')
      for (const [key, member] of Object.entries(it)) visit(member, [...item, `f:${key}`], [...names, key])
    })
  }
  visit(object, [], [])
  return found
}

export const toFieldsV1 = (fields: Fields): Loose => {
  const root: Loose = {}
  for (const path of [...fields].sort()) {
    let node = root
    for (const step of steps(path)) node = node[step] ??= {}
    node['.'] = {}
  }
  return tidy(root)
}

const tidy = (node: Loose): Loose => {
  const keys = Object.keys(node)
  if (keys.length === 1 && keys[0] === '.') return {}
  return Object.fromEntries(keys.map(key => [key, key === '.' ? {} : tidy(node[key])]))
}

export const fromFieldsV1 = (tree: Loose): Fields => {
  const found: Fields = new Set()
  const visit = (node: Loose, parts: string[]) => {
    const members = Object.entries(node ?? {})
    if (parts.length > 0 && members.length === 0) found.add(join(parts))
    for (const [key, it] of members) {
      if (key === '.') found.add(join(parts))
      else visit(it, [...parts, key])
    }
  }
  visit(tree, [])
  return found
}

/** `.spec.template.spec.containers[name="a"].image` */
export const describe = (path: string): string =>
  steps(path)
    .map(step => {
      const rest = step.slice(2)
      if (step.startsWith('f:')) return `.${rest}`
      if (step.startsWith('v:')) return `[=${rest}]`
      const keys = Object.entries(JSON.parse(rest)).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      return `[${keys.join(',')}]`
    })
    .join('')

export const isUnder = (path: string, ancestor: string): boolean => path.startsWith(ancestor + separator)

/** The paths and everything above them. */
export const withAncestors = (paths: Iterable<string>): Fields => {
  const all: Fields = new Set()
  for (const path of paths) {
    const parts = steps(path)
    while (parts.length > 0) {
      const it = join(parts)
      if (all.has(it)) break
      all.add(it)
      parts.pop()
    }
  }
  return all
}
