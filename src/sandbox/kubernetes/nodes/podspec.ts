import type { PodSpec, PodVolume } from '../../ports.ts'
import { initOf, turnOf } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'

/** The cluster's own addresses, as pods need them. */
export type Wiring = {
  clusterId: string
  dnsIp: string
  apiIp: string
  credentials(account: Obj): Record<string, string>
}

/** A pod cannot be started as it is written; kubectl shows the reason. */
export class Unstartable extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * What the node runs for a pod. Images are not pulled: the container's command runs in the node's own userland,
 * and a container without command and args sleeps; one that comes before the others is over at once. The host's network
 * is refused, volumes other than ConfigMap, Secret and projected ones are empty directories. Throws Unstartable.
 */
export const podSpec = (store: Store, pod: Obj, wiring: Wiring): PodSpec => {
  const { namespace, name, uid } = pod.metadata
  const { spec } = pod
  if (spec.hostNetwork) throw new Unstartable('HostNetworkUnsupported', 'pods of this emulator have their own network')
  const account = identity(store, pod, wiring)
  return {
    uid,
    name,
    namespace: namespace!,
    node: spec.nodeName,
    clusterId: wiring.clusterId,
    ip: pod.status.podIP,
    dns: {
      nameservers: [wiring.dnsIp],
      searches: [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'],
      options: ['ndots:5'],
    },
    volumes: podVolumes(store, pod),
    containers: [...spec.containers, ...initOf(pod)].map((it: Loose) => {
      const env = environment(store, pod, it, wiring)
      const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = it.securityContext ?? {}
      const user = it.securityContext?.runAsUser ?? spec.securityContext?.runAsUser
      const command = [...(it.command ?? []), ...(it.args ?? [])].map(part => expand(part, env))
      const turn = turnOf(pod, it)
      const idle = turn === 'init' ? ['true'] : ['sleep', 'infinity']
      return {
        name: it.name,
        ...(turn && { turn }),
        command: command.length > 0 ? command : idle,
        env,
        files: { ...account, ...files(store, pod, it) },
        mounts: mountsOf(it),
        ...(it.workingDir && { workingDir: it.workingDir }),
        ...(user !== undefined && { runAsUser: user }),
        ...(readOnlyRootFilesystem && { readOnly: true }),
        ...(allowPrivilegeEscalation === false && { noNewPrivileges: true }),
        ...(capabilities?.drop?.includes('ALL') && !capabilities.add?.length && { noCapabilities: true }),
      }
    }),
  }
}

/** `$(NAME)` is the variable, `$$(NAME)` stays as `$(NAME)`, an unknown name stays as it is. */
export const expand = (text: string, env: Record<string, string>): string =>
  text.replace(/\$(\$|\(([^)]*)\))/g, (whole, kind, name) => (kind === '$' ? '$' : (env[name] ?? whole)))

const base64 = (text: string) => Buffer.from(text, 'base64').toString('utf8')

/** Data of a ConfigMap or Secret as text; undefined when it is not there and may be absent. */
const dataOf = (
  store: Store,
  pod: Obj,
  name: 'ConfigMap' | 'Secret',
  ref: Loose,
): Record<string, string> | undefined => {
  const wanted = ref.name ?? ref.secretName
  const found = store.get(kind(name), pod.metadata.namespace, wanted)
  if (!found) {
    if (ref.optional) return undefined
    throw new Unstartable('CreateContainerConfigError', `${name.toLowerCase()} "${wanted}" not found`)
  }
  const entries = Object.entries({ ...found.data, ...found.binaryData })
  const isCoded = (key: string) => name === 'Secret' || found.data?.[key] === undefined
  return Object.fromEntries(entries.map(([key, value]) => [key, isCoded(key) ? base64(String(value)) : String(value)]))
}

const oneOf = (store: Store, pod: Obj, name: 'ConfigMap' | 'Secret', ref: Loose): string | undefined => {
  const data = dataOf(store, pod, name, ref)
  const value = data?.[ref.key]
  if (value === undefined && !ref.optional) {
    throw new Unstartable(
      'CreateContainerConfigError',
      `couldn't find key ${ref.key} in ${name} ${pod.metadata.namespace}/${ref.name}`,
    )
  }
  return value
}

const environment = (store: Store, pod: Obj, container: Loose, { apiIp }: Wiring): Record<string, string> => {
  const env: Record<string, string> = {
    HOSTNAME: pod.metadata.name,
    KUBERNETES_SERVICE_HOST: apiIp,
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
  }
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef ? dataOf(store, pod, 'ConfigMap', configMapRef) : dataOf(store, pod, 'Secret', secretRef)
    for (const [key, value] of Object.entries(data ?? {})) env[prefix + key] = value
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? referred(store, pod, container, valueFrom) : expand(value ?? '', env)
    if (found !== undefined) env[name] = found
  }
  return env
}

const referred = (store: Store, pod: Obj, container: Loose, from: Loose): string | undefined => {
  if (from.configMapKeyRef) return oneOf(store, pod, 'ConfigMap', from.configMapKeyRef)
  if (from.secretKeyRef) return oneOf(store, pod, 'Secret', from.secretKeyRef)
  if (from.fieldRef) return fieldOf(pod, from.fieldRef.fieldPath)
  const { resource = '' } = from.resourceFieldRef ?? {}
  const [list, name] = resource.split('.')
  return String(container.resources?.[list]?.[name] ?? '0')
}

const fieldOf = (pod: Obj, path: string): string => {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  const value = keyed
    ? pod.metadata[keyed[1]!]?.[keyed[2]!]
    : path
        .split('.')
        .reduce(
          (it: Loose, name) => it?.[name],
          path === 'status.podIPs' ? { status: { podIPs: pod.status?.podIP } } : pod,
        )
  return value === undefined || value === null ? '' : String(value)
}

/** The service account of a pod, as files; none where the pod or the account says so. */
const identity = (store: Store, pod: Obj, { credentials }: Wiring): Record<string, string> => {
  const { namespace } = pod.metadata
  const name = pod.spec.serviceAccountName ?? 'default'
  const account = store.get(kind('ServiceAccount'), namespace, name)
  if (!account) throw new Unstartable('CreateContainerConfigError', `serviceaccount "${name}" not found`)
  if (!(pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)) return {}
  const all = { ...credentials(account), namespace: namespace! }
  return Object.fromEntries(Object.entries(all).map(([file, text]) => [`${accountPath}/${file}`, text]))
}

const accountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Every volume that some container mounts whole. What is not known here is an empty directory. Throws Unstartable. */
export const podVolumes = (store: Store, pod: Obj): PodVolume[] => {
  const mounted = new Set(
    [...pod.spec.containers, ...initOf(pod)].flatMap(mountsOf).map((it: { volume: string }) => it.volume),
  )
  return (pod.spec.volumes ?? [])
    .filter((it: Loose) => mounted.has(it.name))
    .map((it: Loose): PodVolume => {
      const source = it.configMap ?? it.secret ?? it.projected ?? it.downwardAPI
      if (!source) return { name: it.name }
      return { name: it.name, files: contentOf(store, pod, it), mode: source.defaultMode ?? 0o644 }
    })
}

const mountsOf = (container: Loose): NonNullable<PodSpec['containers'][number]['mounts']> =>
  (container.volumeMounts ?? [])
    .filter((it: Loose) => !it.subPath)
    .map((it: Loose) => ({ volume: it.name, path: it.mountPath }))

/** Parts of volumes, which stay as they are when a container starts. */
const files = (store: Store, pod: Obj, container: Loose): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    if (!subPath) continue
    const volume = pod.spec.volumes?.find((it: Loose) => it.name === name) ?? {}
    for (const [path, content] of Object.entries(contentOf(store, pod, volume))) {
      if (path === subPath) found[mountPath] = content
      else if (path.startsWith(`${subPath}/`)) found[`${mountPath}${path.slice(subPath.length)}`] = content
    }
  }
  return found
}

const contentOf = (store: Store, pod: Obj, volume: Loose): Record<string, string> => {
  const chosen = (data: Record<string, string> | undefined, items: Loose[] | undefined) =>
    items
      ? Object.fromEntries(items.filter(it => data?.[it.key] !== undefined).map(it => [it.path, data![it.key]!]))
      : (data ?? {})
  if (volume.configMap) return chosen(dataOf(store, pod, 'ConfigMap', volume.configMap), volume.configMap.items)
  if (volume.secret) return chosen(dataOf(store, pod, 'Secret', volume.secret), volume.secret.items)
  if (volume.downwardAPI) {
    return Object.fromEntries(
      (volume.downwardAPI.items ?? []).map((it: Loose) => [it.path, fieldOf(pod, it.fieldRef?.fieldPath ?? '')]),
    )
  }
  return Object.assign({}, ...(volume.projected?.sources ?? []).map((it: Loose) => contentOf(store, pod, it)))
}
