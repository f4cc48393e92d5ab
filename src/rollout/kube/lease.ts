import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../engine/problem.ts'
import { MANAGED_BY } from '../tenancy.ts'
import { type Kube, MANAGER } from './kube.ts'
import type { KubeObject, ObjectId } from './object.ts'
import { KubeProblem } from './problem.ts'

/** Who wants it. `state`: which directory on which machine, where one process at a time holds the lock. */
export type Leader = { who: string; run: string; state: string }

export type Held = {
  /** Who held it last and never let go; null: it was free, or ours. */
  tookOverFrom: { who: string; since: string } | null
  /** Before a write: throws NotLeader where another has it by now. Asks the cluster when the last renewal is old. */
  check(): Promise<void>
  /** The object as it is now, for requests that others left on it; throws NotLeader like `check`. */
  look(): Promise<LeaseObject>
  /** Changes annotations of it (null: gone), whatever others wrote meanwhile. */
  note(annotations: Record<string, string | null>): Promise<void>
  /** Lets go; never throws. */
  release(): Promise<void>
  /** Nobody renews it any more, and nothing is said of it: its cluster is about to go. */
  forget(): void
}

export type LeaseObject = KubeObject & {
  spec?: { holderIdentity?: string; acquireTime?: string; renewTime?: string; leaseDurationSeconds?: number }
}

/** Another has the Lease: nothing may be written any more. */
export class NotLeader extends Problem {}

export const LEASES = 'egress-system'
/** On the Lease: the run that holds it, and the directory that it keeps its journal in. */
export const RUN = 'kapsule-egress/run'
const STATE = 'kapsule-egress/state'

export const leaseOf = (context: string): ObjectId => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: LEASES,
  name: `kapsule-egress-${context}`,
})

type Options = {
  context: string
  durationMs?: number
  signal?: AbortSignal
  say?: (line: string) => void
  /** Annotations that were about an earlier holder: gone in the write that takes the Lease. */
  stale?: (lease: LeaseObject) => Record<string, null>
}

/**
 * One leader for a context in a cluster. Who is alive is told by whether the Lease is renewed within its duration, so
 * that no two clocks are compared. Throws NotLeader (exit 4) where another holds it; a dead holder's is taken over.
 */
export const takeLease = async (
  kube: Kube,
  mine: Leader,
  { context, durationMs = 15_000, signal, say = () => undefined, stale = () => ({}) }: Options,
): Promise<Held> => {
  const id = leaseOf(context)
  const wanted = (from: LeaseObject | null) => ({
    annotations: { [RUN]: mine.run, [STATE]: mine.state },
    spec: {
      holderIdentity: mine.who,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: microTime(),
      renewTime: microTime(),
      leaseTransitions: Number((from?.spec as { leaseTransitions?: number })?.leaseTransitions ?? -1) + 1,
    },
  })
  const create = async (): Promise<LeaseObject | null> => {
    await ensureNamespace(kube)
    const { annotations, spec } = wanted(null)
    const labels = { [MANAGED_BY]: MANAGER }
    return attempt(() =>
      kube.create({ ...withoutName(id), metadata: { name: id.name, namespace: LEASES, labels, annotations }, spec }),
    )
  }
  const take = (from: LeaseObject) => {
    const { annotations: own, spec } = wanted(from)
    const { resourceVersion } = from.metadata as { resourceVersion: string }
    const annotations = { ...stale(from), ...own }
    return attempt(() => kube.patch(id, { merge: { metadata: { resourceVersion, annotations }, spec } }))
  }
  let watched: { spec: string; since: Elapsed; looks: number } | null = null
  for (let tries = 0; ; tries++) {
    const live = await kube.get<LeaseObject>(id)
    if (tries > 500) throw heldBy(id, 'nobody that can be told', 'an unknown time', live ?? bareLease(id))
    if (!live) {
      const made = await create()
      if (made) return hold(kube, id, mine, made, durationMs, null)
      continue
    }
    if (isMine(live, mine)) return hold(kube, id, mine, live, durationMs, null)
    const { holderIdentity: who, acquireTime: since = 'an unknown time' } = live.spec ?? {}
    // The same directory's lock is ours now, so that process is gone.
    const dead = !who || live.metadata.annotations?.[STATE] === mine.state
    // Its spec alone is the holder's: whoever asks something of it writes on the Lease, too.
    const spec = JSON.stringify(live.spec)
    if (watched && watched.spec !== spec && !dead) throw heldBy(id, who, since, live)
    if (!watched && !dead) {
      say(`${who} holds ${id.namespace}/${id.name} since ${since}: looking whether it is alive`)
      watched = { spec, since: elapsed(), looks: 0 }
    }
    const patience = (live.spec?.leaseDurationSeconds ?? 15) * 1000
    // By looks too: a machine that slept has seen nothing of the time between. Nor has one whose clock was set.
    if (dead || (watched && ++watched.looks > 8 && watched.since().least >= patience)) {
      const taken = await take(live)
      if (taken) return hold(kube, id, mine, taken, durationMs, who ? { who, since } : null)
      continue
    }
    await delay(Math.min(500, patience / 10), undefined, signal ? { signal } : {})
  }
}

const hold = (
  kube: Kube,
  id: ObjectId,
  mine: Leader,
  first: LeaseObject,
  durationMs: number,
  tookOverFrom: Held['tookOverFrom'],
): Held => {
  let last = first
  let renewed = elapsed()
  let lost: NotLeader | undefined
  let open: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<LeaseObject> => {
    if (lost) throw lost
    const live = await kube.get<LeaseObject>(id)
    if (live && isMine(live, mine)) {
      last = live
      return live
    }
    lost = lostTo(id, live)
    throw lost
  }
  /** Changes it while it is ours: another's change makes it look again, another's hold ends it. */
  const change = async (part: { annotations?: Record<string, string | null>; spec?: object }): Promise<void> => {
    for (let tries = 1; ; tries++) {
      if (lost) throw lost
      const sent = elapsed()
      const { resourceVersion } = last.metadata as { resourceVersion: string }
      const { annotations, spec } = part
      const merge = { metadata: { resourceVersion, ...(annotations && { annotations }) }, ...(spec && { spec }) }
      try {
        last = (await kube.patch(id, { merge: merge as never })) as LeaseObject
        renewed = sent
        return
      } catch (thrown) {
        if (!(thrown instanceof KubeProblem) || tries > 20 || ![404, 409].includes(thrown.status)) throw thrown
        await look()
      }
    }
  }
  /** One after the other: each goes out with the version that the one before left. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = open.then(act, act)
    open = turn.catch(() => undefined)
    return turn
  }
  const renew = () => inTurn(() => change({ spec: { renewTime: microTime() } }))
  const tick = () => {
    timer = setTimeout(() => {
      renew()
        .catch(() => undefined)
        .finally(() => lost ?? tick())
    }, durationMs / 3)
    timer.unref()
  }
  tick()
  return {
    tookOverFrom,
    async check() {
      if (lost) throw lost
      if (renewed().most >= (durationMs * 2) / 3) await renew()
    },
    look: () => inTurn(look),
    note: annotations => inTurn(() => change({ annotations })),
    async release() {
      if (lost) return
      const free = { annotations: { [RUN]: null, [STATE]: null }, spec: { holderIdentity: null } }
      await inTurn(() => change(free)).catch(() => undefined)
      lost ??= lostTo(id, null)
      clearTimeout(timer)
    },
    forget() {
      lost ??= lostTo(id, null)
      clearTimeout(timer)
    },
  }
}

type Elapsed = () => { least: number; most: number }

/** Milliseconds since now, by both clocks: one can be set, the other stands still while a machine sleeps. */
const elapsed = (): Elapsed => {
  const [wall, steady] = [Date.now(), performance.now()]
  return () => {
    const both = [Date.now() - wall, performance.now() - steady]
    return { least: Math.min(...both), most: Math.max(...both) }
  }
}

/** Null where it has to be looked at anew: another was first, or nobody knows whether it was done. */
const attempt = async (write: () => Promise<KubeObject>): Promise<LeaseObject | null> => {
  try {
    return (await write()) as LeaseObject
  } catch (thrown) {
    if (thrown instanceof KubeProblem && [0, 409, 500, 503, 504].includes(thrown.status)) return null
    throw thrown
  }
}

const ensureNamespace = async (kube: Kube): Promise<void> => {
  const id = { apiVersion: 'v1', kind: 'Namespace', name: LEASES }
  if (await kube.get(id)) return
  await kube.apply({ ...withoutName(id), metadata: { name: LEASES, labels: { [MANAGED_BY]: MANAGER } } })
}

const bareLease = ({ apiVersion, kind, name }: ObjectId): LeaseObject => ({ apiVersion, kind, metadata: { name } })

const withoutName = ({ apiVersion, kind }: ObjectId) => ({ apiVersion, kind })

const isMine = ({ spec, metadata }: LeaseObject, { who, run, state }: Leader): boolean =>
  spec?.holderIdentity === who && metadata.annotations?.[RUN] === run && metadata.annotations[STATE] === state

/** Kubernetes keeps microseconds, and insists on six digits. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z')

const heldBy = ({ namespace, name }: ObjectId, who: string, since: string, { metadata }: LeaseObject) =>
  new NotLeader('another machine changes this cluster for this context', {
    why: `${who} holds the Lease ${namespace}/${name} since ${since} (run ${metadata.annotations?.[RUN] ?? 'unknown'})`,
    next: 'wait for it to end, or end it there; one that died is taken over by itself; nothing was touched',
    exit: 4,
  })

const lostTo = ({ namespace, name }: ObjectId, live: LeaseObject | null) =>
  new NotLeader('this run is no longer the leader', {
    why: live?.spec?.holderIdentity
      ? `${live.spec.holderIdentity} took the Lease ${namespace}/${name} at ${live.spec.acquireTime}, as if this run were dead`
      : `the Lease ${namespace}/${name} is gone, or somebody took it from us`,
    next: 'nothing more was written; see what the other run does, then deploy again',
    exit: 4,
  })
