import { initOf, isSidecar } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isReady } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'

type Column = [name: string, cell: (obj: Obj) => Loose, wide?: 'wide']

/** `kubectl get` prints what the server says: a Table with the columns people expect of each kind. */
export const table = (
  of: Resource,
  objects: Obj[],
  { version, include }: { version: string; include: string },
): Loose => {
  const columns: Column[] = [['Name', it => it.metadata.name], ...(columnsOf[of.kind] ?? [age])]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: version },
    columnDefinitions: columns.map(([name, , wide]) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: name,
      priority: wide ? 1 : 0,
    })),
    rows: objects.map(it => ({
      cells: columns.map(([, cell]) => cell(it) ?? '<none>'),
      ...(include !== 'None' && { object: include === 'Object' ? it : partial(it) }),
    })),
  }
}

export const partial = (obj: Obj): Loose => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: obj.metadata,
})

/** As kubectl writes durations: `45s`, `7m3s`, `5h10m`, `3d`. */
export const duration = (ms: number): string => {
  const s = Math.max(0, Math.floor(ms / 1000))
  const m = Math.floor(s / 60)
  const h = Math.floor(m / 60)
  const pair = (a: string, rest: number, unit: string) => (rest === 0 ? a : `${a}${rest}${unit}`)
  if (s < 120) return `${s}s`
  if (m < 10) return pair(`${m}m`, s % 60, 's')
  if (h < 3) return `${m}m`
  if (h < 8) return pair(`${h}h`, m % 60, 'm')
  if (h < 48) return `${h}h`
  return h < 192 ? pair(`${Math.floor(h / 24)}d`, h % 24, 'h') : `${Math.floor(h / 24)}d`
}

const since = (time: string) => duration(Date.now() - Date.parse(time))
const age: Column = ['Age', it => since(it.metadata.creationTimestamp)]
const joined = (list: Loose[] | undefined): string => (list?.length ? list.join(',') : '<none>')
const pairs = (map: Loose): string => joined(Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`))
const containers = (it: Obj): Loose[] => it.spec?.template?.spec?.containers ?? []
const wideOf: Column[] = [
  ['Containers', it => joined(containers(it).map(its => its.name)), 'wide'],
  ['Images', it => joined(containers(it).map(its => its.image)), 'wide'],
  ['Selector', it => pairs(it.spec?.selector?.matchLabels), 'wide'],
]
const ready: Column = ['Ready', it => `${it.status?.readyReplicas ?? 0}/${it.spec?.replicas ?? 1}`]
const keys: Column = ['Data', it => Object.keys({ ...it.data, ...it.binaryData }).length]

const podStatus = (it: Obj): string => {
  if (it.metadata.deletionTimestamp) return 'Terminating'
  const waits = initStatus(it)
  if (waits) return waits
  const statuses: Loose[] = it.status?.containerStatuses ?? []
  for (const { state } of statuses) {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason
    if (reason) return reason
  }
  return it.status?.reason ?? it.status?.phase
}

/** What a pod's init containers say of it, as kubectl words it; undefined: they are through, or there are none. */
const initStatus = ({ spec, status }: Obj): string | undefined => {
  const init: Loose[] = status?.initContainerStatuses ?? []
  const stays = (name: string) => spec.initContainers.some((it: Loose) => it.name === name && isSidecar(it))
  const isInitialized = status?.conditions?.some((it: Loose) => it.type === 'Initialized' && it.status === 'True')
  for (const [index, { name, started, state }] of isInitialized ? [] : init.entries()) {
    if (stays(name) ? started : state.terminated?.exitCode === 0) continue
    if (state.terminated) return `Init:${state.terminated.reason ?? `ExitCode:${state.terminated.exitCode}`}`
    const reason = state.waiting?.reason
    return reason && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${index}/${init.length}`
  }
  return undefined
}

const sidecarsOf = (it: Obj): string[] =>
  initOf(it)
    .filter(isSidecar)
    .map(({ name }) => name)

/** Of the containers that stay. */
const stayingOf = (it: Obj): Loose[] => [
  ...(it.status?.initContainerStatuses ?? []).filter((its: Loose) => sidecarsOf(it).includes(its.name)),
  ...(it.status?.containerStatuses ?? []),
]

const restarts = (it: Obj): string => {
  const statuses: Loose[] = [...(it.status?.initContainerStatuses ?? []), ...(it.status?.containerStatuses ?? [])]
  const count = statuses.reduce((sum, its) => sum + (its.restartCount ?? 0), 0)
  const last = statuses
    .map(its => its.lastState?.terminated?.finishedAt)
    .filter(Boolean)
    .sort()
    .at(-1)
  return count > 0 && last ? `${count} (${since(last)} ago)` : String(count)
}

const roles = (it: Obj): string =>
  joined(Object.keys(it.metadata.labels ?? {}).flatMap(key => key.match(/^node-role\.kubernetes\.io\/(.+)/)?.[1] ?? []))
const address = (it: Obj, type: string) => it.status?.addresses?.find((its: Loose) => its.type === type)?.address
const servicePorts = (it: Obj) =>
  joined(it.spec?.ports?.map((its: Loose) => `${its.port}${its.nodePort ? `:${its.nodePort}` : ''}/${its.protocol}`))
const endpoints = (it: Obj): string => {
  const all = (it.subsets ?? []).flatMap((set: Loose) =>
    (set.addresses ?? []).flatMap((a: Loose) => (set.ports ?? []).map((port: Loose) => `${a.ip}:${port.port}`)),
  )
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : joined(all)
}

const columnsOf: Record<string, Column[]> = {
  Pod: [
    [
      'Ready',
      it => `${stayingOf(it).filter(its => its.ready).length}/${sidecarsOf(it).length + it.spec.containers.length}`,
    ],
    ['Status', podStatus],
    ['Restarts', restarts],
    age,
    ['IP', it => it.status?.podIP, 'wide'],
    ['Node', it => it.spec.nodeName, 'wide'],
    ['Nominated Node', it => it.status?.nominatedNodeName, 'wide'],
    ['Readiness Gates', () => '<none>', 'wide'],
  ],
  Deployment: [
    ready,
    ['Up-to-date', it => it.status?.updatedReplicas ?? 0],
    ['Available', it => it.status?.availableReplicas ?? 0],
    age,
    ...wideOf,
  ],
  ReplicaSet: [
    ['Desired', it => it.spec?.replicas ?? 0],
    ['Current', it => it.status?.replicas ?? 0],
    ['Ready', it => it.status?.readyReplicas ?? 0],
    age,
    ...wideOf,
  ],
  StatefulSet: [ready, age, ...wideOf.slice(0, 2)],
  Node: [
    ['Status', it => `${isReady(it) ? 'Ready' : 'NotReady'}${it.spec?.unschedulable ? ',SchedulingDisabled' : ''}`],
    ['Roles', roles],
    age,
    ['Version', it => it.status?.nodeInfo?.kubeletVersion],
    ['Internal-IP', it => address(it, 'InternalIP'), 'wide'],
    ['External-IP', it => address(it, 'ExternalIP'), 'wide'],
    ['OS-Image', it => it.status?.nodeInfo?.osImage, 'wide'],
    ['Kernel-Version', it => it.status?.nodeInfo?.kernelVersion, 'wide'],
    ['Container-Runtime', it => it.status?.nodeInfo?.containerRuntimeVersion, 'wide'],
  ],
  Service: [
    ['Type', it => it.spec?.type],
    ['Cluster-IP', it => it.spec?.clusterIP],
    ['External-IP', () => '<none>'],
    ['Port(s)', servicePorts],
    age,
    ['Selector', it => pairs(it.spec?.selector), 'wide'],
  ],
  Namespace: [['Status', it => it.status?.phase], age],
  ConfigMap: [keys, age],
  Secret: [['Type', it => it.type], keys, age],
  Endpoints: [['Endpoints', endpoints], age],
  NetworkPolicy: [['Pod-Selector', it => pairs(it.spec?.podSelector?.matchLabels)], age],
  Lease: [['Holder', it => it.spec?.holderIdentity], age],
  Event: [
    ['Last Seen', it => since(it.lastTimestamp ?? it.metadata.creationTimestamp)],
    ['Type', it => it.type],
    ['Reason', it => it.reason],
    ['Object', it => `${it.involvedObject?.kind?.toLowerCase()}/${it.involvedObject?.name}`],
    ['Message', it => it.message],
  ],
}
