import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HostAddress, keyOf, where } from './address.ts'
import { type Connection, connect } from './connection.ts'
import { type Exec, type ExecResult, NotSent } from './exec.ts'
import { semaphore } from './semaphore.ts'
import { Unreachable, unreachable } from './ssh-problems.ts'

export type SshOptions = {
  /** For one try, TCP and handshake together. */
  connectTimeoutSeconds?: number
  /** How long a host that does not answer yet is tried again, as a server that boots needs. */
  bootSeconds?: number
  /** Between two tries. */
  retrySeconds?: number
}

/** `waiting` hears about every try that failed; `bootSeconds` for this once. */
export type HostExec = Exec & { waiting?: (what: string) => void; bootSeconds?: number }

/** SSH to many hosts, one connection kept for each. */
export type Ssh = {
  exec(host: HostAddress, exec: HostExec): Promise<ExecResult>
  /** A connection of its own, all the way: proof that a new login works now. One try. */
  fresh(host: HostAddress, exec: Exec & { connectTimeoutSeconds?: number }): Promise<ExecResult>
  /** Ends every connection; without it the process stays. */
  close(): Promise<void>
}

// A bastion drops unfinished handshakes at random when there are many (MaxStartups 10:30:100).
const handshakesAtOnce = 8

export const createSsh = ({ connectTimeoutSeconds = 10, bootSeconds = 60, retrySeconds = 1 }: SshOptions = {}): Ssh => {
  const connections = new Map<string, Promise<Connection>>()
  const met = new Set<string>()
  const handshakes = semaphore(handshakesAtOnce)
  const open = new Set<Connection>()

  const login = async (host: HostAddress, timeoutSeconds: number, signal?: AbortSignal, sock?: Duplex) => {
    const connection = await handshakes(() =>
      connect(host, { timeoutSeconds, ...(signal ? { signal } : {}), ...(sock ? { sock } : {}) }),
    )
    met.add(keyOf(host))
    open.add(connection)
    void connection.closed.then(() => open.delete(connection))
    return connection
  }

  const through = async (host: HostAddress, bastion: Connection, seconds: number): Promise<Duplex> => {
    const late = new AbortController()
    const timeout = sleep(seconds * 1000, undefined, { signal: late.signal, ref: false }).then(() => {
      throw unreachable(host, `its bastion did not reach it within ${seconds} s`)
    })
    timeout.catch(() => {})
    try {
      return await Promise.race([bastion.forward(host.address, host.port), timeout])
    } catch (error) {
      throw error instanceof Unreachable ? unreachable(host, error.why, error) : error
    } finally {
      late.abort()
    }
  }

  /** Tries until it answers, its boot time is over, or trying again cannot help. */
  const patiently = async (host: HostAddress, { signal, waiting, bootSeconds: boot = bootSeconds }: HostExec) => {
    const since = Date.now()
    for (;;) {
      try {
        const bastion = host.jump && (await reuse(host.jump, { command: '', ...(signal ? { signal } : {}) }))
        const sock = bastion && (await through(host, bastion, connectTimeoutSeconds))
        return await login(host, connectTimeoutSeconds, signal, sock)
      } catch (error) {
        // A host that answered before is not booting: it gets one more try, for a dropped handshake.
        const patience = met.has(keyOf(host)) ? Math.min(boot, 2) : boot
        const passed = (Date.now() - since) / 1000
        if (!(error instanceof Unreachable) || passed + retrySeconds > patience) throw error
        waiting?.(`${host.name}: SSH at ${where(host)}: ${error.why} (${Math.round(passed)} s)`)
        await sleep(retrySeconds * 1000, undefined, signal ? { signal } : {})
      }
    }
  }

  const reuse = (host: HostAddress, exec: HostExec): Promise<Connection> => {
    const key = keyOf(host)
    const kept = connections.get(key)
    if (kept) return kept
    const made = patiently(host, exec)
    connections.set(key, made)
    const forget = () => {
      if (connections.get(key) === made) connections.delete(key)
    }
    made.then(it => it.closed.then(forget), forget)
    return made
  }

  return {
    async exec(host, exec) {
      for (let tries = 0; ; tries++) {
        const connection = await reuse(host, exec)
        try {
          return await connection.exec(exec)
        } catch (error) {
          if (!(error instanceof NotSent) || tries > 0) throw error
          connections.delete(keyOf(host))
        }
      }
    },
    async fresh(host, { connectTimeoutSeconds: seconds = connectTimeoutSeconds, ...exec }) {
      const chain: Connection[] = []
      try {
        const hop = async (it: HostAddress): Promise<Connection> => {
          const bastion = it.jump && (await hop(it.jump))
          const made = await login(it, seconds, exec.signal, bastion && (await through(it, bastion, seconds)))
          chain.push(made)
          return made
        }
        return await (await hop(host)).exec(exec)
      } finally {
        for (const it of chain.reverse()) it.end()
      }
    },
    async close() {
      for (const made of connections.values()) await made.catch(() => {})
      for (const it of open) it.end()
      await Promise.all([...open].map(it => Promise.race([it.closed, sleep(1000, undefined, { ref: false })])))
    },
  }
}
