import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** `get`: GETs over connections that stay; `tunnel`: each time a new connection, a CONNECT and a GET inside. */
export type Order = {
  host: string
  port: number
  what: 'get' | 'tunnel' | 'direct'
  connections: number
  ms: number
  /** Asked for in turn. */
  names: string[]
  /** PEM: to speak TLS to the proxy, and show this. */
  tls?: { ca: string; cert: string; key: string }
}
export type Result = {
  done: number
  seconds: number
  /** Milliseconds. */
  p50: number
  p99: number
  worst: number
  failed: number
  because: string
}

/** A process inside the lab's network that makes load: `run` one order after another. */
export const makeLoad = (netns: string) => {
  const child: ChildProcess = spawn(
    'ip',
    ['netns', 'exec', netns, process.execPath, fileURLToPath(new URL('load.mjs', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    async run(order: Order): Promise<Result> {
      child.stdin!.write(`${JSON.stringify(order)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the load generator ended')
      return JSON.parse(value)
    },
    close: () => void child.kill('SIGKILL'),
  }
}
