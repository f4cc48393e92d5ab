import type { Json } from '../../engine/json.ts'

/** Any Kubernetes object, as JSON. */
export type KubeObject = {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec?: Json
  status?: Json
  [key: string]: Json | undefined
}

export type Metadata = {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[]
  managedFields?: ManagedFields[]
}

/** Who owns what, as the API server keeps it. `fieldsV1` is a tree of `f:name`, `k:{"key":..}`, `v:..`, `.`. */
export type ManagedFields = {
  manager: string
  operation: 'Apply' | 'Update'
  subresource?: string
  time?: string
  fieldsV1?: Fields
}

export type Fields = { [step: string]: Fields }

/** Which object; without a namespace it is one of the cluster. */
export type ObjectId = { apiVersion: string; kind: string; namespace?: string | undefined; name: string }

export const idOf = ({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectId => ({
  apiVersion,
  kind,
  namespace,
  name,
})

/** `Deployment client-a-demo/curl-demo`, for people. */
export const showId = ({ kind, namespace, name }: Omit<ObjectId, 'apiVersion'>): string =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`

/** The path of a collection, or of one object in it. */
export const pathOf = (id: Omit<ObjectId, 'name'> & { name?: string }, subresource?: string): string => {
  const parts = [
    id.apiVersion.includes('/') ? 'apis' : 'api',
    ...id.apiVersion.split('/'),
    ...(id.namespace ? ['namespaces', id.namespace] : []),
    plural(id.kind),
    ...(id.name ? [id.name] : []),
    ...(subresource ? [subresource] : []),
  ]
  return `/${parts.map(encodeURIComponent).join('/')}`
}

const plural = (kind: string): string => {
  const lower = kind.toLowerCase()
  if (lower === 'endpoints') return lower
  if (lower.endsWith('y') && !/[aeo]y$/.test(lower)) return `${lower.slice(0, -1)}ies`
  return /(s|x|ch)$/.test(lower) ? `${lower}es` : `${lower}s`
}

export const isObject = (it: unknown): it is { [key: string]: Json | undefined } =>
  typeof it === 'object' && it !== null && !Array.isArray(it)
