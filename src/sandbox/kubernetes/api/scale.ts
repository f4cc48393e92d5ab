import type { Loose, Obj } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { invalid, Refused } from '../objects/status.ts'
import type { Api, Options, PatchType } from './api.ts'
import { patched } from './api.ts'

/** The Scale of a workload, and the way back. */
export const scaleOf = (obj: Obj): Obj => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: {
    name: obj.metadata.name,
    namespace: obj.metadata.namespace!,
    uid: obj.metadata.uid,
    resourceVersion: obj.metadata.resourceVersion,
    creationTimestamp: obj.metadata.creationTimestamp,
  },
  spec: { replicas: obj.spec?.replicas ?? 0 },
  status: {
    replicas: obj.status?.replicas ?? 0,
    selector: Object.entries(obj.spec?.selector?.matchLabels ?? {})
      .map(([k, v]) => `${k}=${v}`)
      .join(','),
  },
})

/** Writes spec.replicas through the Scale; `change` gets the Scale as it is and answers the one that should be. */
export const rescale = (
  api: Api,
  of: Resource,
  namespace: string,
  name: string,
  options: Options,
  change: (scale: Obj) => Loose,
): Obj => {
  const before = api.get(of, namespace, name)
  const scale = change(scaleOf(before))
  const replicas = scale?.spec?.replicas ?? 0
  if (!Number.isInteger(replicas) || replicas < 0) {
    throw invalid(of, name, [
      {
        field: 'spec.replicas',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: must be greater than or equal to 0',
      },
    ])
  }
  const metadata = {
    ...before.metadata,
    resourceVersion: scale.metadata?.resourceVersion || before.metadata.resourceVersion,
  }
  return scaleOf(
    api.update(of, namespace, name, { ...before, metadata, spec: { ...before.spec, replicas } }, options, 'scale'),
  )
}

export const patchScale = (type: PatchType, scale: Obj, body: Loose): Loose => {
  if (type === 'apply')
    throw new Refused(415, 'UnsupportedMediaType', 'apply is not served for scale here: use a merge patch')
  return patched(type, scale, body)
}
