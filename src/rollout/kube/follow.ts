import type { KubeObject } from './object.ts'
import type { Selection, WatchEvent } from './watch.ts'

/**
 * Looks at what changes, and says only that something did: whoever decides reads anew. `clear` before reading, then
 * `next`: no change in between is missed. `next` also ends after `ms`, for watches can be silent; it throws what
 * `signal` was aborted with.
 */
export type Eye = { clear(): void; next(ms: number, signal: AbortSignal): Promise<void>; close(): void }

/** `isGone`: the object was deleted, and is what it was last. */
export type Concern = (object: KubeObject, isGone: boolean) => boolean

export type Follower = {
  follow(what: Pick<Selection, 'apiVersion' | 'kind'> & { namespace: string }, concerns: Concern): Eye
  close(): void
}

type Watch = (what: Selection, options: { signal: AbortSignal }) => AsyncIterable<WatchEvent<KubeObject>>

type Looking = { namespace: string; concerns: Concern; seen: boolean; wake: () => void }

/**
 * One watch per kind for all eyes: of their namespace, or of the whole cluster once there were two. It stays until `close`,
 * also while nobody looks: the next phase of a rollout goes on with it.
 */
export const createFollower = (watch: Watch): Follower => {
  const streams = new Map<string, Stream>()
  return {
    follow({ apiVersion, kind, namespace }, concerns) {
      const key = `${apiVersion} ${kind}`
      const stream = streams.get(key) ?? createStream(watch, { apiVersion, kind })
      streams.set(key, stream)
      const eye: Looking = { namespace, concerns, seen: false, wake: () => undefined }
      stream.add(eye)
      return {
        clear() {
          eye.seen = false
        },
        async next(ms, signal) {
          signal.throwIfAborted()
          if (eye.seen) return
          const { promise, resolve } = Promise.withResolvers<void>()
          const rouse = () => resolve()
          const timer = setTimeout(rouse, ms)
          signal.addEventListener('abort', rouse)
          eye.wake = rouse
          await promise
          clearTimeout(timer)
          signal.removeEventListener('abort', rouse)
          signal.throwIfAborted()
        },
        close() {
          eye.wake()
          stream.remove(eye)
        },
      }
    },
    close() {
      for (const it of streams.values()) it.stop()
      streams.clear()
    },
  }
}

/** Several as one: whichever sees something first. */
export const joined = (eyes: readonly Eye[]): Eye => ({
  clear() {
    for (const it of eyes) it.clear()
  },
  async next(ms, signal) {
    const rest = new AbortController()
    const either = AbortSignal.any([signal, rest.signal])
    try {
      await Promise.race(eyes.map(it => it.next(ms, either)))
    } finally {
      rest.abort()
    }
  },
  close() {
    for (const it of eyes) it.close()
  },
})

type Stream = { add(eye: Looking): void; remove(eye: Looking): void; stop(): void }

/** Whoever was refused does not ask again at each look. */
const REFUSED_MS = 60_000

const createStream = (watch: Watch, what: Pick<Selection, 'apiVersion' | 'kind'>): Stream => {
  const eyes = new Set<Looking>()
  /** Of all eyes that there ever were. */
  const namespaces = new Set<string>()
  const running = new Map<string, AbortController>()
  const refused = new Map<string, number>()
  /** Whoever may not look at the whole cluster looks at its namespaces. */
  let partly = false

  const stopAll = () => {
    for (const it of running.values()) it.abort()
    running.clear()
  }
  const tell = (it: Looking) => {
    it.seen = true
    it.wake()
  }
  const run = async (namespace: string, { signal }: AbortController) => {
    const here = (it: Looking) => namespace === '' || it.namespace === namespace
    try {
      for await (const event of watch({ ...what, ...(namespace && { namespace }) }, { signal })) {
        for (const it of eyes) {
          // Who has seen something and not looked yet looks anyway.
          if (it.seen || !here(it)) continue
          if (event.type === 'MISSED') tell(it)
          else if (event.object.metadata.namespace !== it.namespace) continue
          else if (it.concerns(event.object, event.type === 'DELETED')) tell(it)
        }
      }
    } catch {
      // Not allowed to watch, or a bug in what is watched: reading again after a while is enough.
      if (signal.aborted) return
      running.delete(namespace)
      refused.set(namespace, performance.now())
      if (namespace !== '' || partly) return
      partly = true
      arrange()
    }
  }
  const start = (namespace: string) => {
    if (running.has(namespace) || performance.now() - (refused.get(namespace) ?? Number.NEGATIVE_INFINITY) < REFUSED_MS)
      return
    const controller = new AbortController()
    running.set(namespace, controller)
    void run(namespace, controller)
  }
  const arrange = () => {
    if (partly) for (const it of namespaces) start(it)
    else if (running.has('')) return
    else if (namespaces.size === 1) for (const it of namespaces) start(it)
    else {
      stopAll()
      start('')
    }
  }
  return {
    add(eye) {
      eyes.add(eye)
      namespaces.add(eye.namespace)
      arrange()
    },
    remove(eye) {
      eyes.delete(eye)
    },
    stop: stopAll,
  }
}
