import type { Ref } from './desired.ts'
import type { Json } from './json.ts'

/** What is live, by id of the Desired; null or undefined: not there. */
export type Lives = { get(id: string): Json | null | undefined }

export const isRef = (it: unknown): it is Ref => typeof it === 'object' && it !== null && '$ref' in it

/** The ids that a Want takes values from. */
export const refsIn = (want: Json | undefined): string[] => {
  const ids = new Set<string>()
  collect(want, ids)
  return [...ids]
}

const collect = (it: Json | undefined, ids: Set<string>): void => {
  if (typeof it !== 'object' || it === null) return
  if (isRef(it)) ids.add(it.$ref)
  else for (const one of Object.values(it)) collect(one, ids)
}

/** The Want with its Refs replaced, and the ids of those that have no value yet. */
export const resolve = (want: Json, lives: Lives): { value: Json; missing: string[] } => {
  const missing = new Set<string>()
  const value = walk(want, ref => {
    const live = lives.get(ref.$ref)
    const found = typeof live === 'object' && live !== null && !Array.isArray(live) ? live[ref.path] : undefined
    if (found !== undefined) return found
    missing.add(ref.$ref)
    return ref
  })
  return { value: value as Json, missing: [...missing] }
}

/** The Want with words in place of its Refs, that no real value equals. */
export const standIns = (want: Json): Json => walk(want, ref => `(known after ${ref.$ref})`) as Json

/** Where in a Want its Refs are: `cloudInit.users.0.name`. */
export const refLeaves = (want: Json | undefined, at = ''): { path: string; id: string }[] => {
  if (isRef(want)) return [{ path: at, id: (want as Ref).$ref }]
  if (typeof want !== 'object' || want === null) return []
  return Object.entries(want).flatMap(([key, one]) => refLeaves(one, at ? `${at}.${key}` : key))
}

const walk = (it: Json | undefined, onRef: (ref: Ref) => Json | Ref): Json | undefined => {
  if (isRef(it)) return onRef(it as Ref) as Json
  if (Array.isArray(it)) return it.map(one => walk(one, onRef) as Json)
  if (typeof it === 'object' && it !== null) {
    return Object.fromEntries(Object.entries(it).map(([key, one]) => [key, walk(one, onRef)]))
  }
  return it
}
