import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { eventually } from '../sandbox/kubernetes/world.ts'
import type { Cluster } from './cluster.ts'

/** Collects the events of a watch until it is closed; `over` settles when the server ends it. */
export const watching = async (cluster: Cluster, path: string, query: string, headers: Record<string, string> = {}) => {
  const response = await cluster.open('GET', `${path}?watch=1&${query}`, undefined, headers)
  const events: Loose[] = []
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  const over = new Promise<void>(resolve => body.once('close', resolve))
  body.on('error', () => undefined)
  // readline passes errors of its input on; a watch that we close is one.
  createInterface(body)
    .on('line', line => events.push(JSON.parse(line)))
    .on('error', () => undefined)
  const seen = () => events.map(it => `${it.type} ${it.object.metadata?.name ?? it.object.code}`)
  return {
    code: response.status,
    events,
    seen,
    over,
    /** Waits for so many events, bookmarks counted. */
    until: async (count: number) => {
      await eventually(() => events.length >= count, `${count} events, not ${seen().join(', ')}`, 30)
      return seen()
    },
    async close() {
      body.destroy()
      await over
    },
  }
}
