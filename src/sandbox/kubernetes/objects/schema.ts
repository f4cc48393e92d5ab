/**
 * What the API's schema says about lists and maps. A path is the names of the members, items skipped:
 * `spec.template.spec.containers.env`. Looked up by the last two names, then by the last.
 */
export type ListType = { type: 'map'; keys: string[] } | { type: 'set' } | { type: 'atomic' }

const maps: Record<string, string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  'containers.ports': ['containerPort', 'protocol'],
  'initContainers.ports': ['containerPort', 'protocol'],
  'spec.ports': ['port', 'protocol'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  podIPs: ['ip'],
  addresses: ['type'],
}

const sets = new Set(['metadata.finalizers', 'spec.finalizers'])

const keyDefaults: Record<string, unknown> = { protocol: 'TCP' }

// Maps and structs that are owned and replaced as a whole.
const atomicMaps = new Set([
  'spec.selector',
  'spec.podSelector',
  'nodeSelector',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'targetRef',
  'involvedObject',
  'labelSelector',
])

// Members that are maps from names people choose, so that an empty one is the same as none.
const openMaps = new Set([
  'labels',
  'annotations',
  'nodeSelector',
  'matchLabels',
  'data',
  'binaryData',
  'stringData',
  'limits',
  'requests',
])

const last = (path: string[]) => path[path.length - 1] ?? ''
const lastTwo = (path: string[]) => path.slice(-2).join('.')

export const listType = (path: string[]): ListType => {
  // Endpoints and slices keep `addresses` as one value; Node status as a map by type.
  if (last(path) === 'addresses' && lastTwo(path) !== 'status.addresses') return { type: 'atomic' }
  const keys = maps[lastTwo(path)] ?? maps[last(path)]
  if (keys) return { type: 'map', keys }
  return sets.has(lastTwo(path)) ? { type: 'set' } : { type: 'atomic' }
}

/** Strategic merge patches know the first key only: two ports of one number with two protocols confuse them. */
export const mergeKey = (path: string[]): string | undefined => {
  const it = listType(path)
  return it.type === 'map' ? it.keys[0] : undefined
}

export const isAtomicMap = (path: string[]): boolean => atomicMaps.has(lastTwo(path)) || atomicMaps.has(last(path))

export const isOpenMap = (path: string[]): boolean => openMaps.has(last(path))

/** The identity of an item in a list that is a map, or undefined where a key has no value and no default. */
export const itemKey = (item: Record<string, unknown>, keys: string[]): Record<string, unknown> | undefined => {
  const found = keys.map(key => [key, item[key] ?? keyDefaults[key]] as const)
  return found.every(([, value]) => value !== undefined) ? Object.fromEntries(found) : undefined
}
