import { readFileSync } from 'node:fs'
import type { Json } from '../../engine/json.ts'
import { semaphore } from '../../engine/semaphore.ts'
import { type Exec, type ExecOptions, type ExecResult, exec } from './exec.ts'
import { createFollower, type Follower } from './follow.ts'
import { createHttp } from './http.ts'
import { type KubeconfigOptions, readKubeconfig } from './kubeconfig.ts'
import { idOf, type KubeObject, type ObjectId, pathOf, showId } from './object.ts'
import { isGone } from './problem.ts'
import { type ListOf, type Selection, type WatchEvent, watch } from './watch.ts'

/** Our field manager: what it owns is what this product changed, and all that is ever taken back. */
export const MANAGER = 'kapsule-egress'

export type Patch = { merge: Json } | { strategic: Json } | { json: Json[] }

/** A thin client of one cluster. Everything throws KubeProblems; null: not there. */
export type Kube = {
  get<T = KubeObject>(id: ObjectId): Promise<T | null>
  list<T = KubeObject>(what: Selection): Promise<ListOf<T>>
  create(object: KubeObject, options?: { manager?: string; dryRun?: boolean }): Promise<KubeObject>
  /** Server-side apply. Without `force` another manager's field is a conflict that names it. */
  apply(object: KubeObject, options?: { manager?: string; force?: boolean; dryRun?: boolean }): Promise<KubeObject>
  patch(id: ObjectId, patch: Patch, options?: { manager?: string }): Promise<KubeObject>
  /** Gone already is fine. With `uid`, an object that took the name since is left alone (409). */
  delete(id: ObjectId, options?: { uid?: string; graceSeconds?: number }): Promise<void>
  watch<T = KubeObject>(what: Selection, options: { signal: AbortSignal }): AsyncIterable<WatchEvent<T>>
  /** An eye on one kind of objects in a namespace; all eyes on it share one watch. */
  follow: Follower['follow']
  exec(what: Exec, options?: ExecOptions): Promise<ExecResult>
  logs(what: {
    namespace: string
    pod: string
    container: string
    tailLines?: number
    previous?: boolean
  }): Promise<string>
  /** `group/version` of each API beside the core that the cluster has. */
  served(): Promise<string[]>
  close(): Promise<void>
}

const PATCH_TYPE = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const

/** At one time: most of them wait for somebody else, and each has a connection of its own. */
const EXECS = 128

export const createKube = ({
  kubeconfig,
  signal,
  ...options
}: { kubeconfig: string; signal?: AbortSignal | undefined } & KubeconfigOptions): Kube => {
  // Read at first use: the file may be written by an earlier step of the same run.
  let opened: ReturnType<typeof open> | undefined
  const open = async () => {
    const access = await readKubeconfig(kubeconfig, options)
    return { access, http: createHttp(access, { signal }), turn: semaphore(EXECS) }
  }
  const connection = () => {
    opened ??= open().catch(thrown => {
      opened = undefined
      throw thrown
    })
    return opened
  }
  const json = async <T>(call: Parameters<Awaited<ReturnType<typeof open>>['http']['json']>[0]): Promise<T> =>
    (await (await connection()).http.json(call)) as T

  const list = async <T>(what: Selection): Promise<ListOf<T>> => {
    type Page = { items?: T[]; metadata: { resourceVersion: string; continue?: string } }
    const { apiVersion, kind, labelSelector, fieldSelector } = what
    const items: T[] = []
    for (let next: string | undefined; ; ) {
      const query = { labelSelector, fieldSelector, limit: 500, continue: next }
      const page = await json<Page>({ method: 'GET', path: pathOf(what), query, doing: `list ${kind}` })
      // Items of a list come without their kind.
      for (const item of page.items ?? []) items.push({ apiVersion, kind, ...item })
      next = page.metadata.continue || undefined
      if (!next) return { items, resourceVersion: page.metadata.resourceVersion }
    }
  }

  const watchAll: Kube['watch'] = async function* <T>(what: Selection, options: { signal: AbortSignal }) {
    const stop = signal ? AbortSignal.any([signal, options.signal]) : options.signal
    yield* watch<T>((await connection()).http, what, { signal: stop })
  }
  const follower = createFollower(watchAll)

  return {
    async get<T>(id: ObjectId) {
      try {
        return await json<T>({ method: 'GET', path: pathOf(id), doing: `get ${showId(id)}` })
      } catch (thrown) {
        if (isGone(thrown)) return null
        throw thrown
      }
    },
    list,
    create: (object, { manager = MANAGER, dryRun = false } = {}) => {
      const id = idOf(object)
      const path = pathOf({ ...id, name: '' })
      const query = { fieldManager: manager, dryRun: dryRun ? 'All' : undefined }
      return json({ method: 'POST', path, query, body: object, doing: `create ${showId(id)}` })
    },
    apply: (object, { manager = MANAGER, force = false, dryRun = false } = {}) =>
      json({
        method: 'PATCH',
        path: pathOf(idOf(object)),
        query: { fieldManager: manager, force, dryRun: dryRun ? 'All' : undefined },
        // JSON is YAML.
        type: 'application/apply-patch+yaml',
        body: object,
        doing: `apply ${showId(idOf(object))}`,
      }),
    patch: (id, patch, { manager = MANAGER } = {}) => {
      const [[type, body]] = Object.entries(patch) as [[keyof typeof PATCH_TYPE, Json]]
      const query = { fieldManager: manager }
      return json({
        method: 'PATCH',
        path: pathOf(id),
        query,
        type: PATCH_TYPE[type],
        body,
        doing: `patch ${showId(id)}`,
      })
    },
    async delete(id, { uid, graceSeconds } = {}) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(uid && { preconditions: { uid } }),
        ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
      }
      try {
        await json({ method: 'DELETE', path: pathOf(id), body, doing: `delete ${showId(id)}` })
      } catch (thrown) {
        if (!isGone(thrown)) throw thrown
      }
    },
    watch: watchAll,
    follow: follower.follow,
    async exec(what, options = {}) {
      const { access, http, turn } = await connection()
      const stop = AbortSignal.any([signal, options.signal].filter(it => it !== undefined))
      const back = () => http.text({ method: 'GET', path: '/version', doing: 'wait for the API server', signal: stop })
      return turn(() => exec(access, what, { ...options, signal: stop, back }))
    },
    async logs({ namespace, pod, container, tailLines, previous }) {
      const path = pathOf({ apiVersion: 'v1', kind: 'Pod', namespace, name: pod }, 'log')
      const query = { container, tailLines, previous: previous || undefined }
      return (await connection()).http.text({ method: 'GET', path, query, doing: `logs of ${namespace}/${pod}` })
    },
    async served() {
      type Groups = { groups?: { versions?: { groupVersion: string }[] }[] }
      const { groups = [] } = await json<Groups>({ method: 'GET', path: '/apis', doing: 'ask which APIs there are' })
      return groups.flatMap(it => (it.versions ?? []).map(({ groupVersion }) => groupVersion))
    },
    async close() {
      follower.close()
      await (await opened?.catch(() => undefined))?.http.close()
    },
  }
}

export type Kubes = ((kubeconfig: string) => Kube) & { close(): Promise<void> }

/**
 * What Kinds ask for: one client for each kubeconfig, kept as long as the file says the same. A cluster that is made
 * anew in a run is another one behind the same path.
 */
export const createKubes = (options: { signal?: AbortSignal } & KubeconfigOptions = {}): Kubes => {
  const made = new Map<string, Kube>()
  const kubes = (kubeconfig: string): Kube => {
    const key = `${kubeconfig} ${textOf(kubeconfig)}`
    const kube = made.get(key) ?? createKube({ kubeconfig, ...options })
    made.set(key, kube)
    return kube
  }
  const close = async () => {
    await Promise.all([...made.values()].map(kube => kube.close()))
    made.clear()
  }
  return Object.assign(kubes, { close })
}

/** '' where it is not there yet, or cannot be read: using it says why. */
const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
