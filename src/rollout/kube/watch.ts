import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Http } from './http.ts'
import { type KubeObject, pathOf } from './object.ts'
import { KubeProblem, type Status } from './problem.ts'

export type Selection = {
  apiVersion: string
  kind: string
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
}

/** MISSED comes first, and again whenever events may have been missed: what was known before may be wrong. */
export type WatchEvent<T> = { type: 'MISSED' } | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }

export type ListOf<T> = { items: T[]; resourceVersion: string }

type Line = { type: string; object: KubeObject & Status }

/** A server says something once a minute, if only that nothing happened. */
const SILENCE_MS = 90_000

/**
 * Follows a collection from now on until `signal` aborts (then it just ends). A cut or silent connection is taken up
 * where it was, or from the newest version where the history is gone (410). Refusals such as 403 are thrown. Without
 * `seconds` the server ends a watch when it likes, usually after half an hour.
 */
export async function* watch<T>(
  http: Http,
  what: Selection,
  { signal, seconds, silenceMs = SILENCE_MS }: { signal: AbortSignal; seconds?: number; silenceMs?: number },
): AsyncGenerator<WatchEvent<T>, void> {
  let version = ''
  let failures = 0
  while (!signal.aborted) {
    try {
      if (!version) {
        version = await newestVersion(http, what, signal)
        yield { type: 'MISSED' }
      }
      for await (const { type, object } of lines(http, what, { version, seconds, silenceMs }, signal)) {
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
      failures++
      await pause(Math.min(100 * 2 ** failures, 5000) * (0.5 + Math.random()), signal)
    }
  }
}

/** Of the whole collection; its objects are not asked for. */
const newestVersion = async (http: Http, what: Selection, signal: AbortSignal): Promise<string> => {
  const { labelSelector, fieldSelector } = what
  const query = { labelSelector, fieldSelector, limit: 1 }
  const list = await http.json({ method: 'GET', path: pathOf(what), query, doing: `list ${what.kind}`, signal })
  return (list as { metadata: { resourceVersion: string } }).metadata.resourceVersion
}

async function* lines(
  http: Http,
  what: Selection,
  { version, seconds, silenceMs }: { version: string; seconds: number | undefined; silenceMs: number },
  signal: AbortSignal,
) {
  const dead = new AbortController()
  const ended = AbortSignal.any([signal, dead.signal])
  const { labelSelector, fieldSelector } = what
  const body = await http.stream({
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
  // A dead connection must not look like a quiet cluster.
  const timer = setTimeout(() => dead.abort(), silenceMs)
  body.on('data', () => timer.refresh())
  const text = createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY })
  // readline does not pass on errors of its input.
  let broken: unknown
  body.once('error', thrown => {
    broken = thrown
    text.close()
  })
  try {
    for await (const line of text) if (line) yield JSON.parse(line) as Line
    if (broken && !ended.aborted) throw broken
  } finally {
    clearTimeout(timer)
    text.close()
    body.destroy()
  }
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined)
