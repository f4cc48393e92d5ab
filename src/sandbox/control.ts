import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'

type Calls = { status(): unknown; admit(ranges: string[]): Promise<void> }

/** The daemon's own socket, for its command: it answers only once the daemon is done with taking over. */
export const serveControl = (socket: string, { status, admit }: Calls): Promise<Server> => {
  const answer = async (method: string, path: string, body: string): Promise<unknown> => {
    if (path === '/health') return { pid: process.pid }
    if (path === '/partner' && method === 'PUT') await admit((JSON.parse(body) as { admitted: string[] }).admitted)
    return status()
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', data => {
      body += data
    })
    request.on('end', () => {
      answer(request.method ?? 'GET', request.url ?? '/', body).then(
        value => response.end(JSON.stringify(value)),
        thrown => {
          response.statusCode = 500
          response.end(String(thrown))
        },
      )
    })
  })
  rmSync(socket, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve(server))
  })
}
