import { randomUUID } from 'node:crypto'
import type { Obj } from './object.ts'
import { now, same } from './object.ts'
import type { Resource } from './resources.ts'

/** What a client may not set: identity, times, versions. */
export const keepMeta = (after: Obj, before: Obj | undefined, of: Resource): Obj['metadata'] => {
  const {
    selfLink: _s,
    generation: given,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _p,
    managedFields: _m,
    ...rest
  } = after.metadata
  const was = before?.metadata
  const generation = !was ? 1 : (was.generation ?? 1) + (same(after.spec, before?.spec) ? 0 : 1)
  return {
    ...rest,
    name: was?.name ?? rest.name,
    ...(was?.namespace !== undefined && { namespace: was.namespace }),
    uid: was?.uid ?? randomUUID(),
    resourceVersion: was?.resourceVersion ?? '',
    creationTimestamp: was?.creationTimestamp ?? now(),
    // Where nobody counts, it is what a client says.
    ...(of.generation ? { generation } : given !== undefined && { generation: given }),
    ...(was?.deletionTimestamp !== undefined && { deletionTimestamp: was.deletionTimestamp }),
    ...(was?.deletionGracePeriodSeconds !== undefined && {
      deletionGracePeriodSeconds: was.deletionGracePeriodSeconds,
    }),
  }
}
