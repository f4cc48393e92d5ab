import { steps } from './fields.ts'
import type { Loose } from './object.ts'
import { isMap, same, stable } from './object.ts'
import { isAtomicMap, isOpenMap, itemKey, listType } from './schema.ts'

/** What was applied laid over what is there: maps and keyed lists join, atomic ones are replaced. */
export const mergeApplied = (live: Loose, applied: Loose, path: string[] = []): Loose => {
  if (isMap(applied) && isMap(live) && !isAtomicMap(path)) {
    const result = { ...live }
    for (const [key, value] of Object.entries(applied)) result[key] = mergeApplied(live[key], value, [...path, key])
    return result
  }
  if (Array.isArray(applied) && Array.isArray(live)) return mergeLists(live, applied, path)
  return applied
}

const mergeLists = (live: Loose[], applied: Loose[], path: string[]): Loose[] => {
  const type = listType(path)
  if (type.type === 'atomic') return applied
  if (type.type === 'set') return [...live, ...applied.filter(it => !live.includes(it))]
  const id = (it: Loose) => stable(itemKey(it, type.keys))
  const result = [...live]
  for (const item of applied) {
    const index = result.findIndex(it => id(it) === id(item))
    if (index < 0) result.push(item)
    else result[index] = mergeApplied(result[index], item, path)
  }
  return result
}

/** A copy without the field at the path. Lists and maps of names that become empty go too, structs stay as `{}`. */
export const without = (value: Loose, path: string): Loose => remove(value, steps(path), []) ?? {}

const remove = (value: Loose, [step, ...rest]: string[], names: string[]): Loose => {
  if (step === undefined) return undefined
  if (Array.isArray(value)) return removeItem(value, step, rest, names)
  if (!isMap(value) || !step.startsWith('f:')) return value
  const key = step.slice(2)
  if (!(key in value)) return value
  const { [key]: member, ...others } = value
  const left = remove(member, rest, [...names, key])
  const result = left === undefined ? others : { ...value, [key]: left }
  return isOpenMap(names) && Object.keys(result).length === 0 ? undefined : result
}

const removeItem = (list: Loose[], step: string, rest: string[], names: string[]): Loose => {
  const type = listType(names)
  const wanted = JSON.parse(step.slice(2))
  const result = list.flatMap(item => {
    const isIt = type.type === 'map' ? isMap(item) && same(itemKey(item, type.keys), wanted) : same(item, wanted)
    if (!isIt) return [item]
    const left = remove(item, rest, names)
    return left === undefined ? [] : [left]
  })
  return result.length === 0 ? undefined : result
}
