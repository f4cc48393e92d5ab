import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { semaphore } from '../engine/semaphore.ts'
import { type HostAddress, keyOf, where } from './address.ts'
import { type Connection, connect } from './connection.ts'
import { createCredentials, type Ways } from './credentials.ts'
import { type Exec, type ExecResult, NotSent } from './exec.ts'
import { NotAhead } from './flight.ts'
import { completing } from './resolve.ts'
import { ConnectionLost, Unreachable, unreachable } from './ssh-problems.ts'

export type SshOptions = {
  /** For one try, TCP and handshake together. */
  connectTimeoutSeconds?: number
  /** How long a host that does not answer yet is tried again, as a server that boots needs. */
  bootSeconds?: number
  /** Between two tries. */
  retrySeconds?: number
} & Partial<Ways>

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

// A server drops unfinished handshakes at random when there are many (MaxStartups 10:30:100): a bastion sees them all.
const handshakesAtOnce = 64
const handshakesThroughOne = 8

const triesOfRepeatable = 5

/** How long a host that was there may be away, when its connection ended in the middle of something. */
const awaySeconds = 30

/** What the login brought along, or the plain way where nothing could go along. */
const firstOn = async (connection: Connection, exec: Exec): Promise<ExecResult> => {
  try {
    if (connection.first) return await connection.first
  } catch (error) {
    if (!(error instanceof NotAhead)) throw error
  }
  return connection.exec(exec)
}

export const createSsh = ({
  connectTimeoutSeconds = 10,
  bootSeconds = 60,
  retrySeconds = 1,
  env = process.env,
  ask,
}: SshOptions = {}): Ssh => {
  const keysOf = createCredentials({ env, ask })
  const complete = completing()
  const connections = new Map<string, Promise<Connection>>()
  const met = new Set<string>()
  const handshakes = semaphore(handshakesAtOnce)
  const bastions = new Map<string, ReturnType<typeof semaphore>>()
  const open = new Set<Connection>()

  const perBastion = ({ jump }: HostAddress): ReturnType<typeof semaphore> => {
    if (!jump) return handshakes
    const key = keyOf(jump)
    const kept = bastions.get(key) ?? semaphore(handshakesThroughOne)
    bastions.set(key, kept)
    return kept
  }

  /** `first` goes with the login, so the answer is there a round trip after it. */
  const login = async (
    host: HostAddress,
    timeoutSeconds: number,
    { signal, sock, first }: { signal?: AbortSignal | undefined; sock?: Duplex | undefined; first?: Exec | undefined },
  ) => {
    const connection = await perBastion(host)(() =>
      connect(host, {
        timeoutSeconds,
        keys: () => keysOf(host),
        ...(signal && { signal }),
        ...(sock && { sock }),
        ...(first && { first }),
      }),
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
  const patiently = async (host: HostAddress, exec: HostExec, lost: boolean) => {
    const { signal, waiting, bootSeconds: boot = bootSeconds } = exec
    const first = exec.repeatable ? exec : undefined
    const since = Date.now()
    for (;;) {
      try {
        const bastion = host.jump && (await reuse(host.jump, { command: '', ...(signal ? { signal } : {}) }))
        const sock = bastion && (await through(host, bastion, connectTimeoutSeconds))
        return await login(host, connectTimeoutSeconds, { signal, sock, first })
      } catch (error) {
        // A host that answered before is not booting: it gets one more try, for a dropped handshake.
        const usual = met.has(keyOf(host)) ? Math.min(boot, 2) : boot
        const patience = lost ? awaySeconds : usual
        const passed = (Date.now() - since) / 1000
        if (!(error instanceof Unreachable) || passed + retrySeconds > patience) throw error
        waiting?.(`${host.name}: SSH at ${where(host)}: ${error.why} (${Math.round(passed)} s)`)
        await sleep(retrySeconds * 1000, undefined, signal ? { signal } : {})
      }
    }
  }

  const reuse = (host: HostAddress, exec: HostExec): Promise<Connection> =>
    connections.get(keyOf(host)) ?? make(host, exec)

  const make = (host: HostAddress, exec: HostExec, lost = false): Promise<Connection> => {
    const key = keyOf(host)
    const made = patiently(host, exec, lost)
    connections.set(key, made)
    const forget = () => {
      if (connections.get(key) === made) connections.delete(key)
    }
    made.then(it => it.closed.then(forget), forget)
    return made
  }

  return {
    async exec(address, exec) {
      const host = complete(address)
      let lost = false
      for (let tries = 1; ; tries++) {
        const kept = connections.get(keyOf(host))
        const made = kept ?? make(host, exec, lost)
        const connection = await made
        try {
          return await (kept ? connection.exec(exec) : firstOn(connection, exec))
        } catch (error) {
          lost = error instanceof ConnectionLost && exec.repeatable === true && tries < triesOfRepeatable
          if (!lost && !(error instanceof NotSent && tries === 1)) throw error
          if (lost) exec.waiting?.(`${host.name}: the connection ended, so it is asked again`)
          if (connections.get(keyOf(host)) === made) connections.delete(keyOf(host))
        }
      }
    },
    async fresh(address, { connectTimeoutSeconds: seconds = connectTimeoutSeconds, ...exec }) {
      const host = complete(address)
      const chain: Connection[] = []
      try {
        const hop = async (it: HostAddress): Promise<Connection> => {
          const bastion = it.jump && (await hop(it.jump))
          const sock = bastion && (await through(it, bastion, seconds))
          const made = await login(it, seconds, { signal: exec.signal, sock, first: it === host ? exec : undefined })
          chain.push(made)
          return made
        }
        return await firstOn(await hop(host), exec)
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
