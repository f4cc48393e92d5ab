import type { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Client, ClientChannel } from 'ssh2'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { NotAhead, type Started } from './flight.ts'
import { connectionLost } from './ssh-problems.ts'

/** A command for a host. Anything secret or long goes to stdin: the command line is seen by everyone there. */
export type Exec = {
  command: string
  stdin?: string | Buffer
  signal?: AbortSignal
  /** Every line of stdout, as it comes. */
  onLine?: (line: string) => void
  /** Where stdout goes instead of into the result, as fast as it is taken there: for what may be of any size. */
  into?: Writable
  timeoutSeconds?: number
  /** It changes nothing, or nothing more when it runs twice: it is run again when its connection ends. */
  repeatable?: boolean
}

export type ExecResult = { code: number; stdout: string; stderr: string }

/** The connection was dead before anything was sent: safe to try on another one. */
export class NotSent extends Error {}

/** The server opens no session now. Nothing was sent; it frees ended ones a moment after we saw them end. */
export class NoSession extends Error {}

const maxOutput = 64 * 1024 * 1024

/** Sends the command on its way and tells when it runs. */
export type Start = (started: Started) => void

/** Runs one command. No exit code means the connection was lost, never success; it never hangs past its time. */
export const runOn = (client: Client, host: HostAddress, exec: Exec, start: Start): Promise<ExecResult> =>
  new Promise((resolve, reject) => {
    const { signal, timeoutSeconds = 300 } = exec
    let channel: ClientChannel | undefined
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      client.off('close', lost)
      settle()
    }
    const fail = (error: unknown) => finish(() => reject(error))
    const lost = () => fail(connectionLost(host, 'a command ran'))
    const stop = () => {
      channel?.close()
      fail(signal?.reason)
    }
    // A channel that is closed does not end the command there, so what it does further is not known: say so.
    const timer = setTimeout(() => {
      channel?.close()
      fail(
        new Problem(`${host.name}: no answer within ${timeoutSeconds} s`, {
          why: 'a command on the host did not end in time and may still run there',
          next: 'look on the host for what it waits for (a lock of apt, a full disk), then run again with --resume',
        }),
      )
    }, timeoutSeconds * 1000)
    if (signal?.aborted) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    client.once('close', lost)
    try {
      start((error, stream, stdinSent) => {
        if (error instanceof NotAhead) return fail(error)
        if (error || !stream)
          return fail(
            /open fail/i.test(error?.message ?? '') ? new NoSession(error?.message) : new NotSent(error?.message),
          )
        channel = stream
        collect(stream, exec, stdinSent).then(
          result => (result ? finish(() => resolve(result)) : lost()),
          error => fail(error),
        )
      })
    } catch (error) {
      // ssh2 throws at once on a client that is dead.
      fail(new NotSent(String(error)))
    }
  })

/** What came out, or null when the channel closed without an exit code. */
const collect = (stream: ClientChannel, { stdin, onLine, into }: Exec, stdinSent = false): Promise<ExecResult | null> =>
  new Promise((resolve, reject) => {
    const out: Buffer[] = []
    const err: Buffer[] = []
    let size = 0
    let code: number | null = null
    const decoder = new StringDecoder('utf8')
    let rest = ''
    const keep = (list: Buffer[], chunk: Buffer) => {
      size += chunk.length
      if (size > maxOutput) {
        stream.close()
        reject(new Error('the command printed more than 64 MB'))
      } else list.push(chunk)
    }
    if (into) {
      stream.pipe(into)
      into.once('error', error => {
        stream.close()
        reject(error)
      })
    } else
      stream.on('data', (chunk: Buffer) => {
        keep(out, chunk)
        if (!onLine) return
        const lines = (rest + decoder.write(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onLine(line)
      })
    stream.stderr.on('data', (chunk: Buffer) => keep(err, chunk))
    stream.on('exit', (status: number | null) => {
      code = status ?? 255
    })
    stream.on('error', reject)
    stream.on('close', () => {
      // Without an exit code it may be half a line.
      if (rest && code !== null) onLine?.(rest)
      if (code === null) resolve(null)
      else resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
    // An exec with open stdin hangs commands that read it.
    if (!stdinSent) stream.end(stdin ?? '')
  })
