import { connect } from 'node:net'
import { execa } from 'execa'
import { Problem } from '../engine/problem.ts'

/** What a request from the operator's machine came to. `silent`: nobody answered; `unheard`: it never came to that. */
type Reply = { status: number; body: string } | { silent: string } | { unheard: string }

/** How gates look from the operator's machine. */
export type Here = {
  get(url: string, headers?: Record<string, string>): Promise<Reply>
  connect(host: string, port: number): Promise<'connected' | { silent: string } | { unheard: string }>
  /** Throws a Problem where it cannot be said how it ended. `variables`: besides PATH, HOME and the like. */
  run(command: readonly string[], options: Running): Promise<{ code: number; output: string }>
}

type Running = { variables: Record<string, string>; passed: readonly string[]; timeoutMs: number }

type Where = { root: string; kubeconfig: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal }

const SECONDS = 10
const MOST_BYTES = 1 << 20

export const createHere = ({ root, kubeconfig, env = process.env, signal }: Where): Here => ({
  async get(url, headers = {}) {
    const timeout = AbortSignal.timeout(SECONDS * 1000)
    const stop = signal ? AbortSignal.any([signal, timeout]) : timeout
    try {
      const reply = await fetch(url, {
        headers: { 'user-agent': 'egress-probe', ...headers },
        redirect: 'manual',
        signal: stop,
      })
      return { status: reply.status, body: await textOf(reply) }
    } catch (thrown) {
      signal?.throwIfAborted()
      return timeout.aborted ? { silent: `no answer within ${SECONDS} s` } : failureOf(thrown)
    }
  },
  connect: (host, port) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: SECONDS * 1000, ...(signal && { signal }) })
      const end = (result: Awaited<ReturnType<Here['connect']>>) => {
        socket.destroy()
        resolve(result)
      }
      socket.once('connect', () => end('connected'))
      socket.once('timeout', () => end({ silent: `no connection within ${SECONDS} s` }))
      socket.once('error', thrown => (signal?.aborted ? reject(signal.reason) : end(failureOf(thrown))))
    }),
  async run([file = '', ...args], { variables, passed, timeoutMs }) {
    const named = (names: readonly string[]) => names.flatMap(it => (env[it] === undefined ? [] : [[it, env[it]]]))
    const given = Object.fromEntries(named(passed)) as Record<string, string>
    const result = await execa(file, args, {
      cwd: root,
      reject: false,
      stdin: 'ignore',
      all: true,
      maxBuffer: MOST_BYTES,
      timeout: timeoutMs,
      killDescendants: true,
      extendEnv: false,
      env: { ...Object.fromEntries(named(USUAL)), KUBECONFIG: kubeconfig, ...variables, ...given },
      ...(signal && { cancelSignal: signal }),
    })
    signal?.throwIfAborted()
    if (result.exitCode === undefined) {
      // execa's own words hold the arguments, and with them whatever somebody wrote there.
      const why = result.timedOut
        ? `it did not end within ${timeoutMs / 1000} s`
        : (result.signal ?? result.code ?? 'it did not start')
      throw new Problem(`${file} has no result`, { why: String(why), next: 'run it by hand, then ask again' })
    }
    const output = Object.values(given).reduce((text, it) => (it ? text.replaceAll(it, '***') : text), result.all)
    return { code: result.exitCode, output }
  },
})

/** What a command needs to run at all; secrets it gets by the names that the inventory says. */
const USUAL = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ']

/** As much as is looked at. */
const textOf = async (reply: Response): Promise<string> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of reply.body ?? []) {
    parts.push(part)
    bytes += part.length
    if (bytes > MOST_BYTES) break
  }
  return Buffer.concat(parts).subarray(0, MOST_BYTES).toString()
}

const failureOf = (thrown: unknown): { silent: string } | { unheard: string } => {
  const { cause } = thrown as { cause?: unknown }
  const { code = '', message = String(thrown) } = (cause ?? thrown) as { code?: string; message?: string }
  const said = message || code
  return /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA|ERR_INVALID_URL)$/.test(code) ? { unheard: said } : { silent: said }
}
