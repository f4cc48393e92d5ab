import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'

export type Proxy = { host: string; port: number; tls?: ConnectionOptions }

/** What came of a CONNECT: its status, and the socket with what is inside the tunnel. */
export const openTunnel = async (proxy: Proxy, target: string): Promise<{ status: number; socket: Socket }> => {
  const { host, port, tls } = proxy
  const socket = tls ? connect({ host, port, ...tls }) : dial({ host, port })
  await once(socket, tls ? 'secureConnect' : 'connect')
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  let head = ''
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean]
    if (!Buffer.isBuffer(chunk)) break
    head += chunk.toString('latin1')
  }
  socket.on('error', () => {})
  return { status: Number(/^HTTP\/1\.\d (\d+)/.exec(head)?.[1] ?? 0), socket }
}

/** Speaks TLS inside a tunnel: what the origin says, and whose certificate it was; '' where it was cut. */
export const talk = async (
  socket: Socket,
  options: ConnectionOptions,
): Promise<{ said: string; certificate: string }> => {
  const inner = connect({ socket, rejectUnauthorized: false, ...options })
  let said = ''
  let certificate = ''
  inner.on('secureConnect', () => {
    certificate = inner.getPeerCertificate().fingerprint256 ?? ''
    inner.write('GET / HTTP/1.0\r\n\r\n')
  })
  inner.on('data', (chunk: Buffer) => {
    said += chunk
  })
  inner.on('error', () => inner.destroy())
  await new Promise(resolve => inner.once('close', resolve))
  socket.destroy()
  return { said, certificate }
}
