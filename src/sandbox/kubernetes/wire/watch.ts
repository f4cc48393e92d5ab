import type { ServerResponse } from 'node:http'
import type { Loose, Obj } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { apiVersionOf } from '../objects/resources.ts'
import { expired, Refused } from '../objects/status.ts'
import type { Store, StoreEvent } from '../objects/store.ts'
import type { WatchTrouble } from './conditions.ts'

export type WatchOptions = {
  namespace: string | undefined
  matches(obj: Obj): boolean
  /** Version to go on from; undefined or 0: the present objects first. */
  since: number | undefined
  bookmarks: boolean
  /** Send the present objects and a bookmark that says where they end (WatchList). */
  initial: boolean
  seconds: number
  shape(objects: Obj[]): Loose
  /** What goes wrong with this watch. */
  trouble?: WatchTrouble
}

const tooMuch = 32 * 1024 * 1024

/** Streams what happens until the time is over or the client goes. Ends the response itself. */
export const watch = (store: Store, of: Resource, response: ServerResponse, options: WatchOptions): void => {
  const { matches, namespace, since, trouble = {} } = options
  const began = Date.now()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const send = (type: string, object: Loose) => {
    if (trouble.silentAfterMs !== undefined && Date.now() - began >= trouble.silentAfterMs) return
    const text = `${JSON.stringify({ type, object })}\n`
    if (trouble.lateMs) setTimeout(() => write(text), trouble.lateMs).unref()
    else write(text)
  }
  const write = (text: string) => {
    if (!response.writable) return
    response.write(text)
    // Who does not read is cut off, and lists again; memory is not for waiting.
    if (response.writableLength > tooMuch) response.destroy()
  }
  let told = false
  const tell = (type: string, obj: Obj) => {
    const object = options.shape([obj])
    // Columns of a table are told once.
    send(type, object.kind === 'Table' && told ? { ...object, columnDefinitions: null } : object)
    told = true
  }
  const bookmark = (end = false) =>
    send('BOOKMARK', {
      kind: of.kind,
      apiVersion: apiVersionOf(of),
      metadata: {
        resourceVersion: String(store.version),
        ...(end && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
      },
    })
  const forward = (event: StoreEvent) => {
    if (event.of !== of || (namespace !== undefined && event.object.metadata.namespace !== namespace)) return
    const type = seenAs(event, matches)
    if (type) tell(type, type === 'DELETED' ? lastOf(event) : event.object)
  }

  try {
    if (trouble.expired) throw expired('too old resource version: the weather says so')
    if (options.initial || !since) {
      for (const it of store.sorted(of, namespace).filter(matches)) tell('ADDED', it)
      if (options.initial && options.bookmarks) bookmark(true)
    } else for (const event of store.since(since)) forward(event)
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    send('ERROR', thrown.body)
    response.end()
    return
  }
  const stop = store.listen(forward)
  const tick = options.bookmarks ? setInterval(bookmark, 10_000) : undefined
  const over = setTimeout(() => {
    if (options.bookmarks) bookmark()
    response.end()
  }, options.seconds * 1000)
  const cut = trouble.cutAfterMs === undefined ? undefined : setTimeout(() => response.destroy(), trouble.cutAfterMs)
  response.on('close', () => {
    clearTimeout(cut)
    stop()
    clearInterval(tick)
    clearTimeout(over)
  })
}

/** What is gone is told as it was when it was seen last, with the version of its going. */
const lastOf = ({ type, object, before, version }: StoreEvent): Obj =>
  type === 'DELETED' || !before
    ? object
    : { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } }

/** With a selector an object comes and goes as it begins and ceases to match. */
const seenAs = (
  { type, object, before }: StoreEvent,
  matches: (obj: Obj) => boolean,
): StoreEvent['type'] | undefined => {
  const did = before !== undefined && matches(before)
  if (type === 'DELETED') return did ? 'DELETED' : undefined
  if (matches(object)) return did ? 'MODIFIED' : 'ADDED'
  return did ? 'DELETED' : undefined
}
