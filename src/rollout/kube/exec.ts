import WebSocket from 'ws'
import { isAway, urlOf } from './http.ts'
import type { Access } from './kubeconfig.ts'
import type { Credentials } from './login.ts'
import { pathOf } from './object.ts'
import { isUntrusted, KubeProblem, refusal, type Status, silence } from './problem.ts'
import { resumed, tlsAs, tunnelBy } from './route.ts'

export type Exec = { namespace: string; pod: string; container: string; command: string[] }

export type ExecOptions = { stdin?: string | Buffer; timeoutMs?: number; signal?: AbortSignal | undefined }

export type ExecResult = { code: number; stdout: string; stderr: string }

const MOST_BYTES = 4 << 20

/** The command was not begun: the server was not there. */
type Unreachable = { unreachable: KubeProblem }

/**
 * Runs a command in a container; once more after `back`, which waits for a server that is not there. Throws a KubeProblem
 * when it cannot be said how the command ended: no pod, no such program, a cut connection, too late.
 * @see channel protocol v5 (v4 without half-close): first byte of a message is 0 in, 1 out, 2 err, 3 status, 255 close
 */
export const exec = async (
  access: Access,
  what: Exec,
  { back, ...options }: ExecOptions & { back: () => Promise<unknown> },
): Promise<ExecResult> => {
  const first = await access.login.current()
  try {
    const result = await run(access, first, what, options)
    if (!('unreachable' in result)) return result
    await back().catch(() => {
      options.signal?.throwIfAborted()
      throw result.unreachable
    })
    return begun(await run(access, first, what, options))
  } catch (thrown) {
    const other = thrown instanceof KubeProblem && thrown.status === 401 && (await access.login.renewed(first))
    if (!other) throw thrown
    return begun(await run(access, other, what, options))
  }
}

const begun = (result: ExecResult | Unreachable): ExecResult => {
  if ('unreachable' in result) throw result.unreachable
  return result
}

const run = (
  access: Access,
  { token, ...as }: Credentials,
  { namespace, pod, container, command }: Exec,
  { stdin, timeoutMs = 30_000, signal }: ExecOptions,
): Promise<ExecResult | Unreachable> =>
  new Promise((resolve, reject) => {
    const { server, proxy } = access
    const doing = `exec ${command[0]} in ${namespace}/${pod}`
    const unclear = (why: string) => new KubeProblem(`${doing}: no result`, why, 'look at the pod, then run again', 0)
    const target = { path: pathOf({ apiVersion: 'v1', kind: 'Pod', namespace, name: pod }, 'exec') }
    const url = new URL(urlOf(server, target).replace(/^http/, 'ws'))
    for (const part of command) url.searchParams.append('command', part)
    const flags = { container, stdout: 'true', stderr: 'true', ...(stdin !== undefined && { stdin: 'true' }) }
    for (const [name, value] of Object.entries(flags)) url.searchParams.set(name, value)

    const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
      ...tlsAs(access, as),
      ...(proxy !== undefined
        ? { agent: tunnelBy(proxy, server) }
        : server.startsWith('https:') && resumed(access, as)),
      headers: { 'user-agent': 'kapsule-egress', ...(token && { authorization: `Bearer ${token}` }) },
    })
    const output: [Buffer[], Buffer[]] = [[], []]
    let bytes = 0
    let status: Status | undefined
    const end = (act: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', interrupted)
      socket.removeAllListeners()
      socket.on('error', () => undefined) // terminate before open emits one more
      socket.terminate()
      act()
    }
    const interrupted = () => end(() => reject(signal?.reason))
    const timer = setTimeout(() => end(() => reject(unclear(`it did not end within ${timeoutMs} ms`))), timeoutMs)
    if (signal?.aborted) return interrupted()
    signal?.addEventListener('abort', interrupted)

    let isOpen = false
    socket.on('open', () => {
      isOpen = true
      if (stdin === undefined) return
      socket.send(Buffer.concat([Buffer.of(0), Buffer.from(stdin)]))
      if (socket.protocol.startsWith('v5')) socket.send(Buffer.of(255, 0))
    })
    socket.on('message', (data: Buffer) => {
      const channel = data[0]
      const rest = data.subarray(1)
      if (channel === 3) status = JSON.parse(rest.toString()) as Status
      if (channel !== 1 && channel !== 2) return
      bytes += rest.length
      if (bytes > MOST_BYTES) return end(() => reject(unclear(`it wrote more than ${MOST_BYTES} bytes`)))
      output[channel - 1]?.push(rest)
    })
    socket.on('unexpected-response', (_request, response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', part => {
        text += part
      })
      response.on('end', () =>
        end(() => {
          const { statusCode = 0 } = response
          const problem = refusal(doing, server, statusCode, parsed(text))
          if (isAway(statusCode)) resolve({ unreachable: problem })
          else reject(problem)
        }),
      )
    })
    socket.on('error', cause =>
      end(() => {
        const problem = silence(doing, server, cause)
        if (isOpen || isUntrusted(cause)) reject(problem)
        else resolve({ unreachable: problem })
      }),
    )
    socket.on('close', (code, reason) =>
      end(() => {
        const exit = status && exitCode(status)
        if (typeof exit === 'number') {
          const [stdout, stderr] = output.map(parts => Buffer.concat(parts).toString())
          resolve({ code: exit, stdout: stdout ?? '', stderr: stderr ?? '' })
        } else reject(unclear(status?.message ?? `the connection ended without a status (${code} ${reason})`))
      }),
    )
  })

/** Null: the command was not run, or nobody knows how it ended. */
export const exitCode = (status: Status & { status?: string }): number | null => {
  if (status.status === 'Success') return 0
  const code = status.details?.causes?.find(it => it.reason === 'ExitCode')?.message
  return code === undefined || !/^\d+$/.test(code) ? null : Number(code)
}

const parsed = (text: string): Status => {
  try {
    return JSON.parse(text) as Status
  } catch {
    return { message: text.slice(0, 200) }
  }
}
