import { rm } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net'
import type { Certificates } from './certificates.ts'
import type { createHandlers } from './http.ts'

/**
 * Serves on 127.0.0.1 with TLS (port 0: any) and on a unix socket without, from where a proxy inside a network
 * namespace brings it to pods. Answers the port; `close` cuts every connection.
 */
export const serve = async (
  handlers: ReturnType<typeof createHandlers>,
  { port, socket, tls }: { port: number; socket: string; tls: Certificates },
) => {
  const secure = createHttps({ key: tls.key, cert: tls.cert }, handlers.request).on('upgrade', handlers.upgrade)
  const plain = createHttp(handlers.request).on('upgrade', handlers.upgrade)
  const open = new Set<Socket>()
  for (const it of [secure, plain]) {
    // Clients keep idle connections for a minute; who closes first makes them fail.
    it.keepAliveTimeout = 90_000
    it.on('connection', (one: Socket) => {
      open.add(one)
      one.on('close', () => open.delete(one))
    })
  }
  await rm(socket, { force: true })
  await listen(secure, { host: '127.0.0.1', port })
  await listen(plain, { path: socket })
  return {
    port: (secure.address() as AddressInfo).port,
    async close() {
      const closed = [secure, plain].map(it => new Promise<void>(resolve => it.close(() => resolve())))
      for (const it of open) it.destroy()
      await Promise.all(closed)
      await rm(socket, { force: true })
    },
  }
}

const listen = (server: Server, options: ListenOptions) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
