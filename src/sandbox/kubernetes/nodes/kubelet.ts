import type { Pods } from '../../ports.ts'
import type { Api } from '../api/api.ts'
import type { Record } from '../api/events.ts'
import type { NodeIndex } from '../controllers/node-index.ts'
import { admitted, initOf, isSidecar } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { isActive, same } from '../objects/object.ts'
import { createQueue } from '../objects/queue.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import type { Mounted } from './mounted.ts'
import { mounted, refresh } from './mounted.ts'
import { paperOf, turnPage } from './paper.ts'
import { createAddresses } from './pod-address.ts'
import { podStatus } from './pod-status.ts'
import type { Wiring } from './podspec.ts'
import { podSpec, Unstartable } from './podspec.ts'
import type { Prober } from './probes.ts'
import { sayGoodbye, startProbes } from './probes.ts'
import type { Turn } from './restarts.ts'
import { createRestarts, firstTurn } from './restarts.ts'
import { writeStatus } from './write-status.ts'

export type Pace = { poll: number; calm: number; backoff: number; maxBackoff: number; sync: number }

/** What the kubelet remembers of a pod that its status does not say. */
type Known = {
  uid: string
  node: string
  isStarted: boolean
  startedAt: number
  mounted: Mounted
  containers: Map<string, Turn>
  probers: Map<string, Prober>
}
type Seen = NonNullable<Awaited<ReturnType<Pods['state']>>>
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
 * and writes down what it sees.
 */
export const createKubelet = ({ store, api, pods, record, wiring, pace, secure, index }: Parts) => {
  const of = kind('Pod')
  const known = new Map<string, Known>()
  const addressed = createAddresses(store, api, index)
  const restarts = createRestarts({ api, pods, record, pace })

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
    const names: string[] = [...initOf(pod), ...pod.spec.containers].map((it: Loose) => it.name)
    const it: Known = {
      uid: pod.metadata.uid,
      node: pod.spec.nodeName,
      isStarted: false,
      startedAt: Date.now(),
      mounted: mounted(pod, undefined, 0),
      containers: new Map(names.map(name => [name, firstTurn()])),
      probers: new Map(),
    }
    known.set(key, it)
    return it
  }

  const silence = ({ probers }: Known) => {
    for (const prober of probers.values()) prober.stop()
    probers.clear()
  }

  const stop = async (key: string, it: Known, grace: number) => {
    silence(it)
    await pods.stop(it.uid, grace)
    if (known.get(key) === it) known.delete(key)
  }

  const finish = async (key: string, pod: Obj): Promise<undefined> => {
    const it = known.get(key) ?? remember(key, pod)
    const grace = pod.metadata.deletionGracePeriodSeconds ?? 0
    const began = Date.now()
    silence(it)
    if (grace > 0) await sayGoodbye(pods, pod, grace)
    // What the hooks took is part of the grace; a real one gives two seconds more.
    await stop(key, it, grace > 0 ? Math.max(2, grace - (Date.now() - began) / 1000) : 0)
    const current = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid !== pod.metadata.uid) return
    api.remove(of, pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 })
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
      it.mounted = mounted(pod, spec.volumes, wasThere ? 0 : Date.now())
    } catch (error) {
      const [reason, message] =
        error instanceof Unstartable ? [error.reason, error.message] : ['CreateContainerError', String(error)]
      const isNew = pod.status.containerStatuses?.[0]?.state?.waiting?.message !== message
      if (isNew) record(pod, 'Warning', 'Failed', `Error: ${message}`)
      writeStatus(api, pod, podStatus(pod, it, null, { reason, message }))
      return error instanceof Unstartable ? 500 : 1000
    }
    it.isStarted = true
    it.startedAt = Date.now()
    record(pod, 'Normal', 'Started', `Started ${pod.spec.containers.length} container(s)`)
    return look(it, pod)
  }

  const probe = (it: Known, pod: Obj, container: Loose) => {
    const mine = it.containers.get(container.name)!
    it.probers.get(container.name)?.stop()
    Object.assign(mine, { isReady: false, hasStarted: false })
    const again = () => queue.add(`${pod.metadata.namespace}/${pod.metadata.name}`)
    const prober = startProbes(pods, pod, container, {
      started() {
        Object.assign(mine, { isReady: !container.readinessProbe, hasStarted: true })
        if (container.startupProbe) again()
      },
      ready(isOk) {
        mine.isReady = isOk
        if (!isOk) record(pod, 'Warning', 'Unhealthy', 'Readiness probe failed')
        again()
      },
      dead() {
        mine.mustRestart = true
        record(pod, 'Warning', 'Unhealthy', 'Liveness probe failed')
        again()
      },
    })
    it.probers.set(container.name, prober)
  }

  /** Begins what has its turn, and again what has ended and is due; answers whether anything was. */
  const advance = async (it: Known, pod: Obj, seen: Seen): Promise<boolean> => {
    let isChanged = false
    for (const container of admitted(pod, it.containers, seen)) {
      const { name } = container
      const isNew = seen.containers[name] === undefined
      if (isNew) await pods.restart(it.uid, name)
      const isAgain = !isNew && (await restarts.mend(it, pod, container, seen))
      if (isNew || isAgain) {
        isChanged = true
        it.startedAt = Date.now()
      }
      if (isNew || isAgain || !it.probers.has(name)) probe(it, pod, container)
    }
    return isChanged
  }

  /** Nobody needs them any more once the others have ended for good; answers whether one ran. */
  const endSidecars = async (pod: Obj, seen: Seen | null): Promise<boolean> => {
    const left = initOf(pod).filter(it => isSidecar(it) && seen?.containers[it.name]?.exitCode === null)
    const grace = pod.spec.terminationGracePeriodSeconds ?? 30
    for (const { name } of left.reverse()) await pods.halt(pod.metadata.uid, name, grace)
    return left.length > 0
  }

  const look = async (it: Known, pod: Obj): Promise<number | undefined> => {
    const state = await pods.state(it.uid)
    const current = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid !== it.uid || current.metadata.deletionTimestamp) return 0
    if (!state) {
      // The namespace is gone, e.g. the machine lost it: all containers begin again.
      it.isStarted = false
      silence(it)
      for (const name of it.containers.keys()) restarts.count(current, name, 137)
      return 0
    }
    const after = (await advance(it, current, state)) ? await pods.state(it.uid) : state
    await refresh(it.mounted, current, pace.sync, store, pods)
    const latest = store.get(of, pod.metadata.namespace, pod.metadata.name)
    if (latest?.metadata.uid !== it.uid || latest.metadata.deletionTimestamp) return 0
    let status = podStatus(latest, it, after)
    const isOver = status.phase === 'Succeeded' || status.phase === 'Failed'
    if (isOver && (await endSidecars(latest, after))) status = podStatus(latest, it, await pods.state(it.uid))
    if (!same({ ...latest.status, ...status }, latest.status)) writeStatus(api, latest, status)
    if (isOver) {
      silence(it)
      return undefined
    }
    const waits = [...it.containers.values()].flatMap(its => (its.dueAt === undefined ? [] : [its.dueAt - Date.now()]))
    const pause = Date.now() - it.startedAt < 10_000 ? pace.poll : pace.calm
    return Math.max(10, Math.min(pause, ...waits))
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
      for (const it of known.values()) silence(it)
      await queue.close()
    },
  }
}
