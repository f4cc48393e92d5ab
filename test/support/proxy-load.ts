import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Load = {
  requests: number
  /** What went wrong, one line each; empty is what is wanted. */
  failed: string[]
  tunnels: number
  dropped: string[]
  worstMs: number
}

/**
 * So many clients at once: each asks for `url` again and again, every second time with a new connection, and holds a
 * tunnel to `target` through which it sends a word and wants it back. Ends when `signal` says so.
 */
export const loadProxy = async (
  proxy: { host: string; port: number },
  { clients, url, target, signal }: { clients: number; url: string; target: string; signal: AbortSignal },
): Promise<Load> => {
  const load: Load = { requests: 0, failed: [], tunnels: 0, dropped: [], worstMs: 0 }
  const client = async (n: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const tunnel = await openTunnel(proxy, target)
    load.tunnels++
    try {
      for (let turn = 0; !signal.aborted; turn++) {
        const began = Date.now()
        const status = await ask(proxy, url, turn % 2 ? agent : undefined).catch((error: Error) => error.message)
        load.worstMs = Math.max(load.worstMs, Date.now() - began)
        load.requests++
        if (status !== 200) load.failed.push(`client ${n}, request ${turn}: ${status}`)
        const answered = await tunnel.say(`${n}.${turn}\n`)
        if (answered !== true) return void load.dropped.push(`client ${n}, turn ${turn}: ${answered}`)
        await sleep(20 + (n % 10) * 5)
      }
    } finally {
      tunnel.close()
      agent.destroy()
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)))
  return load
}

const ask = (proxy: { host: string; port: number }, url: string, agent?: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request({ ...proxy, path: url, headers: { host: new URL(url).host }, agent: agent ?? false }, it => {
      it.resume()
      it.on('end', () => resolve(it.statusCode ?? 0))
      it.on('error', reject)
    })
    asked.setTimeout(20_000, () => asked.destroy(new Error('no answer within 20 s')))
    asked.on('error', reject)
    asked.end()
  })

/** A CONNECT to something that gives back what it gets. */
export const openTunnel = async (proxy: { host: string; port: number }, target: string) => {
  const socket: Socket = connect(proxy)
  let seen = ''
  let ended: string | undefined
  socket.on('data', it => {
    seen += it
  })
  socket.on('error', error => {
    ended = error.message
  })
  socket.on('close', () => {
    ended ??= 'closed'
  })
  const saw = async (text: string): Promise<true | string> => {
    for (let n = 0; n < 4000; n++) {
      if (seen.includes(text)) {
        seen = ''
        return true
      }
      if (ended) return ended
      await sleep(5)
    }
    return 'no answer within 20 s'
  }
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  const opened = await saw('\r\n\r\n')
  if (opened !== true) throw new Error(`no tunnel to ${target}: ${opened}`)
  return {
    say: (text: string) => {
      socket.write(text)
      return saw(text)
    },
    close: () => void socket.destroy(),
  }
}
