import { type Json, sameJson } from '../../engine/json.ts'
import { type Fields, isObject, type KubeObject, type ManagedFields } from './object.ts'

/** Where a value is, in the steps of fieldsV1: `f:name`, `k:{"name":"curl"}`, `v:"x"`. */
export type Path = string[]

/** What our manager has by server-side apply; null: it never applied, or gave everything up. */
export const appliedBy = (object: KubeObject, manager: string): Fields | null =>
  object.metadata.managedFields?.find(it => isApplyOf(it, manager))?.fieldsV1 ?? null

const isApplyOf = (entry: ManagedFields, manager: string): boolean =>
  entry.manager === manager && entry.operation === 'Apply' && !entry.subresource

/** The managers other than ours that hold `path`. */
export const holders = (entries: ManagedFields[], path: Path, except: string): ManagedFields[] =>
  entries.filter(it => !isApplyOf(it, except) && it.fieldsV1 !== undefined && holds(it.fieldsV1, path))

/** Whether a set of fields has `path`, by itself or inside a value that is owned whole. */
export const holds = (fields: Fields, path: Path): boolean => {
  let here = fields
  for (const step of path) {
    const next = here[step] ?? sameKey(here, step)
    if (!next) return here !== fields && Object.keys(here).length === 0
    here = next
  }
  return true
}

/** Every owned field, deepest first found; `.` alone means that the thing itself is owned, and nothing in it. */
export const leaves = (fields: Fields, at: Path = []): Path[] => {
  const steps = Object.keys(fields).filter(step => step !== '.')
  if (steps.length === 0) return at.length > 0 ? [at] : []
  return steps.flatMap(step => leaves(fields[step] ?? {}, [...at, step]))
}

/** The tree with just these paths. */
export const treeOf = (paths: Path[]): Fields => {
  const tree: Fields = {}
  for (const path of paths) {
    let here = tree
    for (const step of path) {
      here[step] ??= {}
      here = here[step]
    }
  }
  return tree
}

/** What is one step down; undefined: not there. */
export const at = (value: Json | undefined, step: string): Json | undefined => {
  const rest = step.slice(2)
  if (step.startsWith('f:')) return isObject(value) ? value[rest] : undefined
  if (!Array.isArray(value)) return undefined
  if (step.startsWith('i:')) return value[Number(rest)]
  const wanted = JSON.parse(rest) as Json
  if (step.startsWith('v:')) return value.find(it => sameJson(it, wanted))
  const key = Object.entries(wanted as Record<string, Json>)
  return value.find(it => isObject(it) && key.every(([name, part]) => sameJson(it[name] ?? DEFAULTS[name], part)))
}

export const lookup = (value: Json | undefined, path: Path): Json | undefined => path.reduce(at, value)

/** The part of a value that these fields name; items of keyed lists keep their key. */
export const extract = (value: Json, fields: Fields): Json => {
  const steps = Object.keys(fields).filter(step => step !== '.')
  if (steps.length === 0) {
    if (!('.' in fields)) return value
    return Array.isArray(value) ? [] : isObject(value) ? {} : value
  }
  const found = steps
    .map(step => ({ step, part: at(value, step) }))
    .filter((it): it is { step: string; part: Json } => it.part !== undefined)
  if (!Array.isArray(value)) {
    return Object.fromEntries(found.map(({ step, part }) => [step.slice(2), extract(part, fields[step] ?? {})]))
  }
  // In the order of the list, not in that of the set.
  return found
    .sort((a, b) => value.indexOf(a.part) - value.indexOf(b.part))
    .map(({ step, part }) => {
      if (!step.startsWith('k:')) return part
      const own = Object.keys(fields[step] ?? {}).length === 0 ? part : extract(part, fields[step] ?? {})
      return isObject(own) ? { ...(JSON.parse(step.slice(2)) as Record<string, Json>), ...own } : own
    })
}

/** `spec.template.spec.containers[name=curl].env[name=HTTP_PROXY].value` */
export const show = (path: Path): string =>
  path
    .map((step, index) => {
      const rest = step.slice(2)
      if (step.startsWith('f:')) {
        if (/[./]/.test(rest)) return `["${rest}"]`
        return index === 0 ? rest : `.${rest}`
      }
      if (!step.startsWith('k:')) return `[${rest}]`
      const key = Object.entries(JSON.parse(rest) as Record<string, Json>)
      return `[${key.map(([name, part]) => `${name}=${part}`).join(',')}]`
    })
    .join('')

/** What the API server fills in for a key that is left out. */
const DEFAULTS: Record<string, Json> = { protocol: 'TCP' }

const sameKey = (fields: Fields, step: string): Fields | undefined => {
  if (!step.startsWith('k:')) return undefined
  const wanted = JSON.parse(step.slice(2)) as Json
  const found = Object.keys(fields).find(it => it.startsWith('k:') && sameJson(JSON.parse(it.slice(2)) as Json, wanted))
  return found === undefined ? undefined : fields[found]
}
