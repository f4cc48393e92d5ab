import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Wire = {
  port: number
  /** How often the client had to hear from the server before it sent more, since the last time this was asked. */
  turns(): number
  connections(): number
  /** What went over it so far, each way. */
  bytes(): { up: number; down: number }
  /** Ends every connection that goes over it now. */
  cut(): void
  /** Those and all that come within the next seconds. */
  cutFor(seconds: number): void
  /** Nothing gets through any more on those, in either direction, and nobody is told. */
  freeze(): void
  close(): Promise<void>
}

type Options = {
  /** How long each byte is under way, in one direction. */
  delayMs?: number
  /** How much of it gets through, in each direction of each connection. */
  bytesPerSecond?: number
  /** The nth connection (from 0) ends after so many bytes in that direction; null: it is left alone. */
  cutAfter?: (connection: number) => { direction: 'up' | 'down'; bytes: number } | null
}

/** A long wire to a server, on the loopback: what goes in comes out later, in order. */
export const wireTo = async (
  address: string,
  port: number,
  { delayMs = 0, bytesPerSecond, cutAfter }: Options = {},
): Promise<Wire> => {
  const pairs = new Set<() => void>()
  let frozen = 0
  let closedUntil = 0
  let turns = 0
  let heard = true
  let made = 0
  const bytes = { up: 0, down: 0 }
  const server = createServer(client => {
    if (Date.now() < closedUntil) return client.destroy()
    const nth = made++
    const cut = cutAfter?.(nth) ?? null
    const target = connect({ host: address, port, noDelay: true })
    client.setNoDelay(true)
    const end = () => {
      pairs.delete(end)
      client.destroy()
      target.destroy()
    }
    pairs.add(end)
    const carry = (from: Socket, to: Socket, direction: 'up' | 'down', onChunk: () => void, onArrival: () => void) => {
      let before = Promise.resolve()
      let left = cut?.direction === direction ? cut.bytes : Number.POSITIVE_INFINITY
      const later = (deliver: () => void, bytes = 0) => {
        const due = delayMs ? sleep(delayMs) : Promise.resolve()
        const slow = () => (bytesPerSecond ? sleep((bytes / bytesPerSecond) * 1000) : undefined)
        before = before
          .then(() => due)
          .then(slow)
          .then(deliver)
      }
      // What is slow comes bit by bit, and not all at the end.
      const most = bytesPerSecond ? Math.ceil(bytesPerSecond / 5) : Number.POSITIVE_INFINITY
      from.on('data', (whole: Buffer) => {
        onChunk()
        for (let at = 0; at < whole.length; at += most) pass(whole.subarray(at, at + most))
      })
      const pass = (chunk: Buffer) => {
        const part = chunk.subarray(0, Math.max(0, left))
        left -= chunk.length
        bytes[direction] += chunk.length
        later(() => {
          if (nth < frozen) return
          onArrival()
          if (!to.destroyed && part.length > 0) to.write(part, () => left <= 0 && end())
          else if (left <= 0) end()
        }, part.length)
      }
      from.on('end', () => later(() => to.end()))
      from.on('error', end)
      from.on('close', () => later(end))
    }
    const ask = () => {
      if (heard) turns++
      heard = false
    }
    const hear = () => {
      heard = true
    }
    carry(client, target, 'up', ask, () => {})
    carry(target, client, 'down', () => {}, hear)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    turns() {
      const counted = turns
      turns = 0
      heard = true
      return counted
    },
    connections: () => made,
    bytes: () => ({ ...bytes }),
    cut() {
      for (const end of pairs) end()
    },
    cutFor(seconds) {
      closedUntil = Date.now() + seconds * 1000
      for (const end of pairs) end()
    },
    freeze() {
      frozen = made
    },
    async close() {
      for (const end of pairs) end()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
