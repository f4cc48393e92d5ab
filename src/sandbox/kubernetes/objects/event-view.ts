import type { Loose, Obj } from './object.ts'
import { isMap } from './object.ts'

/** Names of events.k8s.io/v1 and what the core group stores them as. */
const names: [theirs: string, stored: string][] = [
  ['note', 'message'],
  ['regarding', 'involvedObject'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

const renamed = (it: Loose, pairs: (readonly [string, string])[]): Loose => {
  const map = new Map(pairs)
  return Object.fromEntries(Object.entries(it).map(([key, value]) => [map.get(key) ?? key, value]))
}

/** An object or a patch of events.k8s.io/v1 as one of the core group. JSON patches are not served in this view. */
export const toStored = (body: Loose): Loose => {
  if (!isMap(body)) return body
  return { ...renamed(body, names), ...(body.apiVersion && { apiVersion: 'v1' }) }
}

export const toView = (stored: Obj): Obj => ({
  ...renamed(
    stored,
    names.map(([theirs, its]) => [its, theirs] as const),
  ),
  apiVersion: 'events.k8s.io/v1',
})
