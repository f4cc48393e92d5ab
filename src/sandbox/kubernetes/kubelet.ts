import type { Pods } from '../ports.ts'
import { nextFree } from './addresses.ts'
import type { Api } from './api.ts'
import { containerStatuses, podStatus } from './container-status.ts'
import type { Record } from './events.ts'
import type { NodeIndex } from './node-index.ts'
import type { Loose, Obj } from './object.ts'
import { isActive, same, stable } from './object.ts'
import { paperOf, turnPage } from './paper.ts'
import type { Wiring } from './podspec.ts'
import { podSpec, podVolumes, Unstartable } from './podspec.ts'
import type { Prober } from './probes.ts'
import { sayGoodbye, startProbe } from './probes.ts'
import { createQueue } from './queue.ts'
import { kind } from './resources.ts'
import type { Store } from './store.ts'

export type Pace = { poll: number; calm: number; backoff: number; maxBackoff: number; sync: number }
const me = 'kubelet'

/** What the kubelet remembers of a pod that its status does not say. */
type Known = {
  uid: string
  node: string
  isStarted: boolean
  startedAt: number
  /** When its volumes were last compared, what they held, and the pod's own notes then. */
  volumes: { at: number; held: string; notes: string }
  containers: Map<string, { isReady: boolean; failures: number; dueAt: number | undefined; mustRestart: boolean }>
  probers: Map<string, Prober[]>
}
type Seen = Awaited<ReturnType<Pods['state']>>
type Parts = {
  store: Store
  api: Api
  pods: Pods
  record: Record
  wiring: Wiring
  pace: Pace
  secure(): Promise<void>
  index: NodeIndex
}
/**
 * Runs the pods of all nodes: an address, then the policies in force, only then the processes; looks after them
 * and writes down what it sees. The first restart of a container is at once, then it waits longer each time.
 */
export const createKubelet = ({ store, api, pods, record, wiring, pace, secure, index }: Parts) => {
  const of = kind('Pod')
  const known = new Map<string, Known>()
  const lastAddress = new Map<string, string>()

  const writeStatus = (pod: Obj, change: Loose) =>
    api.modify(of, pod, it => Object.assign(it.status, change), me, 'status')

  const work = async (key: string): Promise<number | undefined> => {
    const [namespace, name] = key.split('/') as [string, string]
    const pod = store.get(of, namespace, name)
    const had = known.get(key)
    if (had && had.uid !== pod?.metadata.uid) {
      await stop(key, had, 0)
      if (!pod) return undefined
    }
    if (!pod?.spec.nodeName) return undefined
    const paper = paperOf(store, pod.spec.nodeName)
    if (paper !== undefined) {
      const placed = pod.metadata.deletionTimestamp ? pod : addressed(pod)
      return placed && turnPage(api, placed, paper)
    }
    if (pod.metadata.deletionTimestamp) return finish(key, pod)
    if (!isActive(pod)) return undefined
    const it = known.get(key) ?? remember(key, pod)
    if (!it.isStarted) return start(it, pod)
    return look(it, pod)
  }

  const queue = createQueue('pod', work, { width: 64 })

  const remember = (key: string, pod: Obj): Known => {
    const names: string[] = pod.spec.containers.map((it: Loose) => it.name)
    const fresh = { isReady: false, failures: 0, dueAt: undefined, mustRestart: false }
    const it: Known = {
      uid: pod.metadata.uid,
      node: pod.spec.nodeName,
      isStarted: false,
      startedAt: Date.now(),
      volumes: { at: 0, held: '', notes: '' },
      containers: new Map(names.map(name => [name, { ...fresh }])),
      probers: new Map(),
    }
    known.set(key, it)
    return it
  }

  const stop = async (key: string, it: Known, grace: number) => {
    for (const prober of [...it.probers.values()].flat()) prober.stop()
    await pods.stop(it.uid, grace)
    if (known.get(key) === it) known.delete(key)
  }

  const finish = async (key: string, pod: Obj): Promise<undefined> => {
    const it = known.get(key) ?? remember(key, pod)
    const grace = pod.metadata.deletionGracePeriodSeconds ?? 0
    const began = Date.now()
    for (const prober of [...it.probers.values()].flat()) prober.stop()
    if (grace > 0) await sayGoodbye(pods, pod, grace)
    // What the hooks took is part of the grace; a real one gives two seconds more.
    await stop(key, it, grace > 0 ? Math.max(2, grace - (Date.now() - began) / 1000) : 0)
    const current = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid !== pod.metadata.uid) return
    api.remove(of, pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 })
  }

  const addressed = (pod: Obj): Obj | undefined => {
    if (pod.status.podIP) return pod
    const node = store.get(kind('Node'), undefined, pod.spec.nodeName)
    if (!node?.spec?.podCIDR) return undefined
    const ip = nextFree(node.spec.podCIDR, index.addresses, lastAddress.get(node.metadata.name))
    if (!ip) throw new Error(`no address is left on ${node.metadata.name}`)
    lastAddress.set(node.metadata.name, ip)
    const hostIP = node.status.addresses.find((it: Loose) => it.type === 'InternalIP')?.address
    return writeStatus(pod, {
      podIP: ip,
      podIPs: [{ ip }],
      hostIP,
      hostIPs: [{ ip: hostIP }],
      startTime: pod.metadata.creationTimestamp,
    })
  }

  const start = async (it: Known, placed: Obj): Promise<number | undefined> => {
    const pod = addressed(placed)
    if (!pod) return 200
    try {
      const spec = podSpec(store, pod, wiring)
      await secure()
      const wasThere = (await pods.state(it.uid)) !== null
      if (!wasThere) await pods.start(spec)
      // Whoever was there before may have missed something.
      it.volumes = { at: wasThere ? 0 : Date.now(), held: stable(spec.volumes), notes: notesOf(pod) }
    } catch (error) {
      const [reason, message] =
        error instanceof Unstartable ? [error.reason, error.message] : ['CreateContainerError', String(error)]
      const isNew = pod.status.containerStatuses?.[0]?.state?.waiting?.message !== message
      if (isNew) record(pod, 'Warning', 'Failed', `Error: ${message}`)
      const statuses = containerStatuses(pod, it, null, { reason, message })
      writeStatus(pod, podStatus(pod, statuses))
      return error instanceof Unstartable ? 500 : 1000
    }
    it.isStarted = true
    it.startedAt = Date.now()
    record(pod, 'Normal', 'Started', `Started ${pod.spec.containers.length} container(s)`)
    for (const container of pod.spec.containers) probe(it, pod, container)
    return look(it, pod)
  }

  const probe = (it: Known, pod: Obj, container: Loose) => {
    const mine = it.containers.get(container.name)!
    for (const prober of it.probers.get(container.name) ?? []) prober.stop()
    mine.isReady = !container.readinessProbe
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const probers: Prober[] = []
    const watchOver = (definition: Loose, tell: (isOk: boolean) => void) => {
      if (!definition) return
      const told = (isOk: boolean) => {
        tell(isOk)
        queue.add(key)
      }
      probers.push(startProbe(pods, pod, container, definition, told))
    }
    watchOver(container.readinessProbe, isOk => {
      mine.isReady = isOk
      if (!isOk) record(pod, 'Warning', 'Unhealthy', 'Readiness probe failed')
    })
    watchOver(container.livenessProbe, isOk => {
      if (isOk) return
      mine.mustRestart = true
      record(pod, 'Warning', 'Unhealthy', 'Liveness probe failed')
    })
    it.probers.set(container.name, probers)
  }

  const look = async (it: Known, pod: Obj): Promise<number | undefined> => {
    const state = await pods.state(it.uid)
    const current = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid !== it.uid || current.metadata.deletionTimestamp) return 0
    if (!state) {
      // The namespace is gone, e.g. the machine lost it: all containers begin again.
      it.isStarted = false
      for (const name of it.containers.keys()) countRestart(current, name, 137)
      return 0
    }
    let isMended = false
    for (const container of current.spec.containers) if (await mend(it, current, container, state)) isMended = true
    const after = isMended ? await pods.state(it.uid) : state
    await refresh(it, current)
    const latest = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (latest?.metadata.uid !== it.uid || latest.metadata.deletionTimestamp) return 0
    const status = podStatus(latest, containerStatuses(latest, it, after))
    if (!same({ ...latest.status, ...status }, latest.status)) writeStatus(latest, status)
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      for (const prober of [...it.probers.values()].flat()) prober.stop()
      return undefined
    }
    const waits = [...it.containers.values()].flatMap(its => (its.dueAt === undefined ? [] : [its.dueAt - Date.now()]))
    const pause = Date.now() - it.startedAt < 10_000 ? pace.poll : pace.calm
    return Math.max(10, Math.min(pause, ...waits))
  }

  /** As a real one: what volumes hold is looked at every minute, and at once when somebody annotates the pod. */
  const refresh = async (it: Known, pod: Obj) => {
    const notes = notesOf(pod)
    if (notes === it.volumes.notes && Date.now() - it.volumes.at < pace.sync) return
    it.volumes = { ...it.volumes, at: Date.now(), notes }
    try {
      const volumes = podVolumes(store, pod)
      const held = stable(volumes)
      if (held === it.volumes.held) return
      await pods.refresh(it.uid, volumes)
      it.volumes.held = held
    } catch (error) {
      // What is gone stays mounted as it was.
      if (!(error instanceof Unstartable)) throw error
    }
  }

  const countRestart = (pod: Obj, name: string, exitCode: number) => {
    const statuses = (pod.status.containerStatuses ?? []).map((its: Loose) => {
      if (its.name !== name) return its
      const last = its.state?.terminated ?? its.lastState?.terminated
      return {
        ...its,
        restartCount: its.restartCount + 1,
        state: { waiting: { reason: 'ContainerCreating' } },
        lastState: { terminated: last ?? { exitCode, reason: 'Error' } },
      }
    })
    writeStatus(store.get(of, pod.metadata.namespace, pod.metadata.name) ?? pod, { containerStatuses: statuses })
  }

  /** Restarts a container that has ended, when it is due; answers whether it did. */
  const mend = async (it: Known, pod: Obj, container: Loose, seen: NonNullable<Seen>): Promise<boolean> => {
    const mine = it.containers.get(container.name)!
    const state = seen.containers[container.name]
    if (!mine.mustRestart) {
      if (state?.exitCode === null || state === undefined) {
        if (state && Date.now() - Date.parse(state.startedAt) > 10 * pace.maxBackoff) mine.failures = 0
        return false
      }
      const { restartPolicy } = pod.spec
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && state.exitCode === 0)) return false
      if (mine.dueAt === undefined) {
        const wait = mine.failures === 0 ? 0 : Math.min(pace.maxBackoff, pace.backoff * 2 ** (mine.failures - 1))
        mine.failures++
        // Written down as ended before it counts as waiting, so that lastState has the exit code.
        writeStatus(pod, podStatus(pod, containerStatuses(pod, it, seen)))
        mine.dueAt = Date.now() + wait
        if (wait > 0) record(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${container.name}`)
      }
      if (mine.dueAt > Date.now()) return false
    }
    mine.mustRestart = false
    mine.dueAt = undefined
    await pods.restart(it.uid, container.name)
    const current = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid === it.uid) countRestart(current, container.name, state?.exitCode ?? 137)
    it.startedAt = Date.now()
    probe(it, pod, container)
    return true
  }

  return {
    add: queue.add,
    /** Resolves when no pod of that node is left running. */
    async left(node: string) {
      for (;;) {
        const mine = [...known].filter(([, it]) => it.node === node)
        if (mine.length === 0) return
        for (const [key, it] of mine) await stop(key, it, 0)
      }
    },
    async close() {
      for (const it of known.values()) for (const prober of [...it.probers.values()].flat()) prober.stop()
      await queue.close()
    },
  }
}

const notesOf = ({ metadata: { annotations = {}, labels = {} } }: Obj): string => stable({ annotations, labels })
