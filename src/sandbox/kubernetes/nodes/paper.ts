import type { Api } from '../api/api.ts'
import { nodeObject } from '../controllers/nodes.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive, now, withCondition } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import { share } from './addresses.ts'
import { writeStatus } from './write-status.ts'

/**
 * Nodes of paper: made by whoever creates a Node with this annotation, whose value is in how many ms a pod on it gets
 * ready. Their pods are no processes and no namespaces: thousands fit, none has a network. A pod that carries the
 * annotation itself is `never` ready, or `crash`es.
 */
export const paperKey = 'emulator/paper'

/** In how many ms pods of that node get ready; undefined: the node is a real one, or there is none. */
export const paperOf = (store: Store, node: string | undefined): number | undefined => {
  const found = node === undefined ? undefined : store.get(kind('Node'), undefined, node)
  const value = found?.metadata.annotations?.[paperKey]
  return value === undefined ? undefined : Number(value) || 0
}

/** Gives a new Node of paper what its kubelet would report, with the last free share of the pod range. Changes it. */
export const layPaper = (store: Store, node: Obj, { podCidr, version }: { podCidr: string; version: string }): void => {
  if (node.metadata.annotations?.[paperKey] === undefined) return
  const taken = new Set(store.list(kind('Node')).map(it => it.spec?.podCIDR))
  let free: string | undefined
  for (let index = 0, next = share(podCidr, 0); next; next = share(podCidr, ++index)) if (!taken.has(next)) free = next
  if (!free) throw new Error(`the pod range ${podCidr} has no /24 left`)
  const { name } = node.metadata
  const address = free.replace(/^\d+\.\d+\.(\d+)\..*$/, '172.31.$1.1')
  const { spec, status } = nodeObject({ name, address, podCidr: free, version: `v${version.replace(/^v/, '')}` })
  node.metadata.labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...node.metadata.labels }
  node.spec = { ...spec, ...node.spec }
  const allocatable = { cpu: '1000', memory: '1000Gi', pods: '250' }
  node.status = { ...status, capacity: allocatable, allocatable, ...node.status }
}

/** Moves a pod on paper one step on. Answers when to look again. */
export const turnPage = (api: Api, pod: Obj, readyMs: number): number | undefined => {
  const of = kind('Pod')
  const { namespace, name, deletionTimestamp, annotations = {} } = pod.metadata
  if (deletionTimestamp) {
    api.remove(of, namespace, name, { gracePeriodSeconds: 0 })
    return undefined
  }
  if (!isActive(pod)) return undefined
  const write = (status: Loose) => void writeStatus(api, pod, status)
  const before: Loose[] = pod.status.containerStatuses ?? []
  const statuses = (change: (restarts: number) => Loose) =>
    pod.spec.containers.map(({ name, image }: Loose, index: number) => {
      const restartCount = before[index]?.restartCount ?? 0
      const base = { name, image, imageID: '', ready: false, started: false, restartCount, lastState: {} }
      return { ...base, ...change(restartCount), containerID: `paper://${pod.metadata.uid}/${name}` }
    })
  const conditions = (isReady: boolean) =>
    ['Initialized', 'Ready', 'ContainersReady'].reduce((all, type) => {
      const isTrue = isReady || type === 'Initialized'
      const why = isTrue ? {} : { reason: 'ContainersNotReady' }
      return withCondition(all, { type, status: isTrue ? 'True' : 'False', ...why })
    }, pod.status.conditions)
  const time = now()
  // A Job's pod does its work and ends; one that was made by hand waits for what it is asked.
  const ends = pod.metadata.ownerReferences?.some((it: Loose) => it.kind === 'Job') ?? false
  const running = { state: { running: { startedAt: time } }, started: true }
  if (before.length === 0) {
    write({
      containerStatuses: statuses(() => ({ state: { waiting: { reason: 'ContainerCreating' } } })),
      conditions: conditions(false),
    })
    return readyMs
  }
  if (annotations[paperKey] === 'crash') {
    const ended = { terminated: { exitCode: 1, reason: 'Error', startedAt: time, finishedAt: time } }
    const state = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' } }
    const containerStatuses = statuses(restarts => ({ state, lastState: ended, restartCount: restarts + 1 }))
    write({ phase: 'Running', containerStatuses, conditions: conditions(false) })
    return Math.min(60_000, Math.max(10, readyMs) * 2 ** containerStatuses[0].restartCount)
  }
  if (annotations[paperKey] === 'never') {
    write({ phase: 'Running', containerStatuses: statuses(() => running), conditions: conditions(false) })
    return undefined
  }
  if (before.some(it => it.ready) && ends) {
    const ended = { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time } }
    write({ phase: 'Succeeded', containerStatuses: statuses(() => ({ state: ended })), conditions: conditions(false) })
    return undefined
  }
  if (before.every(it => it.ready)) return undefined
  write({
    phase: 'Running',
    containerStatuses: statuses(() => ({ ...running, ready: true })),
    conditions: conditions(true),
  })
  return ends ? readyMs : undefined
}
