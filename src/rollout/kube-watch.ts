import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Http } from './kube-http.ts'
import { KubeProblem, type Status } from './kube-problem.ts'
import { type KubeObject, pathOf } from './object.ts'

export type Selection = {
  apiVersion: string
  kind: string
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
}

/** LISTED comes first, and again whenever events may have been missed: what is not in it is gone. */
export type WatchEvent<T> = { type: 'LISTED'; items: T[] } | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }

export type ListOf<T> = { items: T[]; resourceVersion: string }

type Line = { type: string; object: KubeObject & Status }

/**
 * Follows a collection until `signal` aborts (then it just ends). A cut connection is taken up where it was;
 * a history that is gone (410) is listed anew. Refusals such as 403 are thrown.
 */
export async function* watch<T>(
  http: Http,
  what: Selection,
  list: (what: Selection) => Promise<ListOf<T>>,
  { signal, seconds = 240 }: { signal: AbortSignal; seconds?: number },
): AsyncGenerator<WatchEvent<T>, void> {
  let version = ''
  let failures = 0
  while (!signal.aborted) {
    try {
      if (!version) {
        const listed = await list(what)
        version = listed.resourceVersion
        yield { type: 'LISTED', items: listed.items }
      }
      for await (const { type, object } of lines(http, what, version, seconds, signal)) {
        failures = 0
        if (type === 'ERROR') {
          if (object.code !== 410) throw new KubeProblem('watch: ended', object.message ?? 'an error', 'run again', 500)
          version = ''
          break
        }
        version = object.metadata.resourceVersion ?? version
        if (type !== 'BOOKMARK') yield { type: type as 'ADDED', object: object as unknown as T }
      }
      await pause(failures++ === 0 ? 10 : 500, signal)
    } catch (thrown) {
      if (signal.aborted) return
      const status = thrown instanceof KubeProblem ? thrown.status : 0
      if (status === 410) version = ''
      else if (thrown instanceof KubeProblem && status >= 400 && status < 500 && status !== 429) throw thrown
      else if (++failures > 8) throw thrown
      await pause(Math.min(100 * 2 ** failures, 5000) * (0.5 + Math.random()), signal)
    }
  }
}

async function* lines(http: Http, what: Selection, version: string, seconds: number, signal: AbortSignal) {
  // A server that forgets its own timeout, or a dead connection, must not look like a quiet cluster.
  const ended = AbortSignal.any([signal, AbortSignal.timeout((seconds + 10) * 1000)])
  const { labelSelector, fieldSelector } = what
  const response = await http.stream({
    method: 'GET',
    path: pathOf(what),
    query: {
      watch: true,
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: seconds,
      labelSelector,
      fieldSelector,
    },
    doing: `watch ${what.kind}`,
    signal: ended,
  })
  if (!response.body) return
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  const text = createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY })
  // readline does not pass on errors of its input.
  let broken: unknown
  body.once('error', thrown => {
    broken = thrown
    text.close()
  })
  try {
    for await (const line of text) if (line) yield JSON.parse(line) as Line
    if (broken && !signal.aborted && !ended.aborted) throw broken
  } finally {
    text.close()
    body.destroy()
  }
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined)
