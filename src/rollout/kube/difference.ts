import { withoutPasswords } from '../../engine/apply.ts'
import { type Json, sameJson } from '../../engine/json.ts'
import type { Detail } from '../../engine/kind.ts'
import { at, type Path, show } from './fields.ts'
import { isObject } from './object.ts'

/** A wanted field that is not so. `to` undefined: it is to go. */
export type Difference = { path: Path; from: Json | undefined; to: Json | undefined }

/**
 * Wanted fields that are absent or different. What the cluster has beyond them (defaults, the work of others)
 * is no difference. Lists are matched by key where Kubernetes merges them so, and as a whole elsewhere.
 */
export const differences = (want: Json | undefined, live: Json | undefined, path: Path = []): Difference[] => {
  if (want === undefined || want === null) return []
  if (isObject(want)) {
    if (!isObject(live)) return [{ path, from: live, to: want }]
    return Object.entries(want).flatMap(([name, part]) => differences(part, live[name], [...path, `f:${name}`]))
  }
  if (!Array.isArray(want)) return sameJson(want, live) ? [] : [{ path, from: live, to: want }]
  const keys = mergeKeys(path, want)
  if (!keys) return sameList(want, live) ? [] : [{ path, from: live, to: want }]
  return want.flatMap(item => {
    const step = keyStep(item, keys)
    const found = at(live ?? [], step)
    return found === undefined
      ? [{ path: [...path, step], from: undefined, to: item }]
      : differences(item, found, [...path, step])
  })
}

/** The step that finds an item of a keyed list. Sorted, as the API server writes it. */
const keyStep = (item: Json, keys: string[]): string => {
  const fields = isObject(item) ? item : {}
  const pairs = keys.map(key => [key, fields[key] ?? (key === 'protocol' ? 'TCP' : undefined)])
  return `k:${JSON.stringify(Object.fromEntries(pairs.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))))}`
}

/** Lists that Kubernetes merges by key. Others (tolerations, rules of a policy, commands) are replaced whole. */
const mergeKeys = (path: Path, list: Json[]): string[] | null => {
  const name = path.at(-1)?.slice(2) ?? ''
  if (!list.every(isObject)) return null
  if (name === 'ports') {
    if (list.every(it => isObject(it) && it.containerPort !== undefined)) return ['containerPort', 'protocol']
    return path.length === 2 ? ['port', 'protocol'] : null
  }
  return MERGED[name] ?? null
}

const MERGED: Record<string, string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  hostAliases: ['ip'],
  ownerReferences: ['uid'],
}

/** Item by item; members that the server filled in do not count. */
const sameList = (want: Json[], live: Json | undefined): boolean =>
  Array.isArray(live) && want.length === live.length && want.every((item, index) => within(item, live[index]))

const within = (want: Json, live: Json | undefined): boolean => {
  if (Array.isArray(want)) return sameList(want, live)
  if (!isObject(want)) return sameJson(want, live)
  return isObject(live) && Object.entries(want).every(([name, part]) => part === undefined || within(part, live[name]))
}

/** `metadata.labels.egress: internal -> external (changed by kubectl-label)` */
export const detail = ({ path, from, to }: Difference, changedBy?: string): Detail => ({
  name: show(path),
  action: from === undefined ? 'create' : to === undefined ? 'delete' : 'update',
  diff: `${show(path)}: ${shown(from)} -> ${shown(to)}${changedBy ? ` (changed by ${changedBy})` : ''}`,
})

const shown = (value: Json | undefined): string => withoutPasswords(text(value))

const text = (value: Json | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? value : JSON.stringify(value)
