import { connect as connectTo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'ssh2'
import { Problem } from '../engine/problem.ts'
import { semaphore } from '../engine/semaphore.ts'
import type { HostAddress } from './address.ts'
import { type Exec, type ExecResult, NoSession, runOn } from './exec.ts'
import { type Flight, flightOf, type Started } from './flight.ts'
import { checkHostKey, hostKeysOf } from './host-keys.ts'
import { keyring, type SshKey } from './keyring.ts'
import { watchPulse } from './pulse.ts'
import { connectProblem, unreachable } from './ssh-problems.ts'
import { client as clientKind } from './ssh2.ts'

/** One SSH connection. `closed` settles when it is gone, for whatever reason. */
export type Connection = {
  exec(exec: Exec): Promise<ExecResult>
  /** What became of the command that went with the login; it may reject with NotAhead: then nothing was sent. */
  readonly first?: Promise<ExecResult>
  forward(address: string, port: number): Promise<Duplex>
  end(): void
  readonly alive: boolean
  readonly closed: Promise<void>
}

type Options = {
  sock?: Duplex
  timeoutSeconds: number
  signal?: AbortSignal
  keys: () => Promise<SshKey[]>
  /** Goes with the login, in one flight. It may run although the login seems to have failed. */
  first?: Exec
}

// Servers allow 10 sessions on a connection (MaxSessions), and hung ones count.
const maxChannels = 8

/** Logs in. Throws Unreachable where trying again may help, another Problem where it cannot. */
export const connect = async (
  host: HostAddress,
  { sock, timeoutSeconds, signal, keys: keysOf, first }: Options,
): Promise<Connection> => {
  const { stream, keys, record } = await reach(host, sock, keysOf)
  const client = new (clientKind())()
  const seen: { offered?: string; revoked?: boolean; greeted: boolean; keys: string[] } = {
    greeted: false,
    keys: keys.map(it => it.from),
  }
  return new Promise((resolve, reject) => {
    const stop = () => {
      client.destroy()
      reject(signal?.reason)
    }
    const fail = (error: Error) => {
      signal?.removeEventListener('abort', stop)
      client.destroy()
      reject(connectProblem(host, error, seen))
    }
    const gone = () => fail(new Error('the connection was closed during the handshake'))
    if (signal?.aborted) {
      stream.destroy()
      return stop()
    }
    if (stream.destroyed) return fail(stream.errored ?? new Error('the connection was closed during the handshake'))
    signal?.addEventListener('abort', stop, { once: true })
    client
      .on('error', fail)
      .on('close', gone)
      .on('greeting', () => {
        seen.greeted = true
      })
      .on('handshake', () => {
        seen.greeted = true
      })
      .on('ready', () => {
        signal?.removeEventListener('abort', stop)
        client.off('error', fail).off('close', gone)
        resolve(open(host, client, stream, { flight, first: answer, carried: first }))
      })
      .connect({
        username: host.user,
        agent: keyring(keys),
        // Without asking first what the server accepts.
        authHandler: ['agent'],
        sock: stream,
        readyTimeout: timeoutSeconds * 1000,
        // Who judges the answers is watchPulse.
        keepaliveInterval: 5000,
        keepaliveCountMax: Number.POSITIVE_INFINITY,
        algorithms: {
          // Only types on record, or a host known by one type would look changed when it offers another.
          serverHostKey: record.algorithms as never[],
          ...(host.compress && { compress: ['zlib@openssh.com', 'none'] as never[] }),
        },
        hostVerifier: (key: Buffer) => {
          const refused = checkHostKey(record, key)
          Object.assign(seen, refused)
          return refused === null
        },
      })
    const flight = flightOf(client)
    const answer = flight ? ahead(client, host, flight, keys, first) : undefined
  })
}

/** Who is asked for a passphrase may take longer than a server waits for a login. */
const staleMs = 5000

/** The server is called before the keys are read and ssh2 is loaded, so that it wakes up meanwhile. */
const reach = async (host: HostAddress, sock: Duplex | undefined, keysOf: () => Promise<SshKey[]>) => {
  const call = (): Duplex =>
    // Nagle's algorithm costs 80 ms on every exec. An error is found on the stream when it is used.
    connectTo({ host: host.address, port: host.port, noDelay: true }).on('error', () => {})
  const began = Date.now()
  const stream = sock ?? call()
  try {
    const [record, keys] = [hostKeysOf(host), await keysOf()]
    if (sock || Date.now() - began < staleMs) return { stream, keys, record }
    stream.destroy()
    return { stream: call(), keys, record }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** Undefined when no command was given. */
const ahead = (client: Client, host: HostAddress, flight: Flight, [key]: SshKey[], first: Exec | undefined) => {
  if (!key) return
  // Compression begins with the login's success, so what comes before it would be misread.
  if (!first || host.compress) return void flight.withLogin(host.user, key, undefined, () => {})
  const answer = runOn(client, host, first, started => flight.withLogin(host.user, key, first, started))
  // Its failure is told to who asks for it; before that the login has failed.
  answer.catch(() => {})
  return answer
}

type Opened = { flight: Flight | null; first: Promise<ExecResult> | undefined; carried: Exec | undefined }

const open = (host: HostAddress, client: Client, stream: Duplex, { flight, first, carried }: Opened): Connection => {
  let alive = true
  let sending = 0
  const stopWatch = watchPulse(
    stream,
    () => sending,
    () => stream.destroy(),
  )
  const closed = new Promise<void>(resolve => {
    client.once('close', () => {
      alive = false
      stopWatch()
      resolve()
    })
  })
  client.on('error', () => client.destroy())
  const limited = semaphore(maxChannels)
  const start = (exec: Exec) => (started: Started) => {
    if (!flight?.onSpare(exec, started)) client.exec(exec.command, started)
  }
  const counted = async (exec: Exec, run: () => Promise<ExecResult>) => {
    const bytes = Buffer.byteLength(exec.stdin ?? '')
    sending += bytes
    try {
      return await limited(run)
    } finally {
      sending -= bytes
    }
  }
  const early = first && carried && counted(carried, () => first)
  // Its failure is told to who asks for it.
  early?.catch(() => {})
  return {
    exec: exec => counted(exec, () => insist(host, () => runOn(client, host, exec, start(exec)))),
    ...(early && { first: early }),
    forward: (address, port) =>
      new Promise((resolve, reject) => {
        client.forwardOut('127.0.0.1', 0, address, port, (error, stream) =>
          error
            ? reject(unreachable(host, `it cannot reach ${address}:${port}: ${error.message}`, error))
            : resolve(stream),
        )
      }),
    end: () => client.end(),
    get alive() {
      return alive
    },
    closed,
  }
}

const insist = async (host: HostAddress, run: () => Promise<ExecResult>): Promise<ExecResult> => {
  for (let tries = 0; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof NoSession)) throw error
      if (tries >= 50)
        throw new Problem(`${host.name}: the host opens no more sessions`, {
          why: error.message,
          next: 'end other sessions on the host, or raise MaxSessions in its sshd_config',
          cause: error,
        })
      await sleep(100)
    }
  }
}
