import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import type { Pods } from '../../ports.ts'
import { initOf } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { badRequest, type Refused } from '../objects/status.ts'

/** The container a request means: the one named, the default by annotation, or the first. */
export const containerOf = (pod: Obj, name: string | null): string => {
  const names: string[] = [...pod.spec.containers, ...initOf(pod)].map((it: Loose) => it.name)
  const chosen = name ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? names[0]!
  if (names.includes(chosen)) return chosen
  throw badRequest(`container ${chosen} is not valid for pod ${pod.metadata.name}`)
}

const statusOf = ({ status }: Obj, container: string): Loose =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(it => it.name === container)

const started = (pod: Obj, container: string): void => {
  const status = statusOf(pod, container)
  if (status?.containerID) return
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating'
  throw badRequest(`container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`)
}

/** `/log`: the output so far, and with `follow` what comes until the container ends or the client goes. */
export const sendLogs = async (
  pods: Pods,
  pod: Obj,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> => {
  const container = containerOf(pod, query.get('container'))
  const previous = query.get('previous') === 'true'
  const status = statusOf(pod, container)
  if (previous && !status?.restartCount)
    throw badRequest(`previous terminated container "${container}" in pod "${pod.metadata.name}" not found`)
  started(pod, container)
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const tail = query.get('tailLines')
  const limit = Number(query.get('limitBytes') ?? Number.POSITIVE_INFINITY)
  const chunks = pods.logs(pod.metadata.uid, container, {
    ...(tail !== null && { tailLines: Number(tail) }),
    ...(previous && { previous }),
    ...(query.get('follow') === 'true' && { follow: gone.signal }),
  })
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  let sent = 0
  try {
    for await (const chunk of chunks) {
      if (gone.signal.aborted || sent >= limit) break
      response.write(chunk.subarray(0, limit - sent))
      sent += chunk.length
    }
    response.end()
  } catch (error) {
    // The head is out: cutting the stream is the only way left to say that it failed.
    if (!gone.signal.aborted) response.destroy(error instanceof Error ? error : undefined)
  }
}

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: offered => protocols.find(it => offered.has(it)) ?? false,
})

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 }

/** `/exec` over a websocket: each message begins with the number of its channel. */
export const serveExec = (
  pods: Pods,
  pod: Obj,
  query: URLSearchParams,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void => {
  const container = containerOf(pod, query.get('container'))
  const command = query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least one command for the container')
  started(pod, container)
  const offered = request.headers['sec-websocket-protocol']?.split(',').map(it => it.trim()) ?? []
  if (!offered.some(it => protocols.includes(it)))
    throw badRequest(`this server speaks ${protocols.join(' and ')} only`)
  const flag = (name: string) => query.get(name) === 'true' || query.get(name) === '1'
  sockets.handleUpgrade(request, socket, head, client => {
    const wanted = {
      stdin: flag('stdin'),
      stdout: flag('stdout'),
      stderr: flag('stderr') && !flag('tty'),
      tty: flag('tty'),
    }
    void connect(client, pods, pod.metadata.uid, container, command, wanted)
  })
}

type Wanted = { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean }

const connect = async (
  client: WebSocket,
  pods: Pods,
  uid: string,
  container: string,
  command: string[],
  wanted: Wanted,
) => {
  const send = (to: number, data: Buffer | string) => {
    if (client.readyState === client.OPEN) client.send(Buffer.concat([Buffer.from([to]), Buffer.from(data as Buffer)]))
  }
  const finish = (status: Loose) => {
    send(channel.error, JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...status }))
    client.close(1000)
  }
  try {
    const process = pods.exec(uid, container, command, { tty: wanted.tty, stdin: wanted.stdin })
    client.on('close', () => process.kill())
    client.on('error', () => process.kill())
    // A process that ends with its input half read is not an error of ours.
    process.stdin.on('error', () => {})
    if (!wanted.stdin) process.stdin.end()
    client.on('message', data => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(data as Buffer[])
      const body = bytes.subarray(1)
      if (bytes[0] === channel.stdin && wanted.stdin) process.stdin.write(body)
      if (bytes[0] === channel.close && body[0] === channel.stdin) process.stdin.end()
      if (bytes[0] === channel.resize) {
        const { Width, Height } = JSON.parse(body.toString())
        process.resize?.(Width, Height)
      }
    })
    const copied = (stream: NodeJS.ReadableStream, to: number, on: boolean) =>
      new Promise<void>(resolve => {
        stream.on('data', (chunk: Buffer) => on && send(to, chunk))
        for (const event of ['end', 'close', 'error']) stream.on(event, () => resolve())
      })
    const output = Promise.all([
      copied(process.stdout, channel.stdout, wanted.stdout),
      copied(process.stderr, channel.stderr, wanted.stderr),
    ])
    const code = await process.ended
    // A child in the background may hold the output open; the command itself is over.
    await Promise.race([output, new Promise(resolve => setTimeout(resolve, 500))])
    finish(code === 0 ? { status: 'Success' } : exitStatus(code))
  } catch (error) {
    finish({
      status: 'Failure',
      reason: 'InternalError',
      message: String(error instanceof Error ? error.message : error),
      code: 500,
    })
  }
}

const exitStatus = (code: number): Loose => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with non-zero exit code: error executing command, exit code ${code}`,
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
})

/** Answers an upgrade that is refused, as HTTP on the bare socket. */
export const refuseUpgrade = (socket: Duplex, refused: Refused): void => {
  const body = JSON.stringify(refused.body)
  const head = `HTTP/1.1 ${refused.code} ${refused.body.reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body)
}
