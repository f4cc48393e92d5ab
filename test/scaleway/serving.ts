import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An answer of the API, or one of the ways in which none comes. */
export type Answer =
  | { status: number; body?: string; headers?: Record<string, string> }
  | 'cut'
  | 'cut-body'
  | 'silence'

/** A server on loopback that gives the answers in order, the last one for ever. */
export const serving = async (answers: Answer[], run: (url: string, seen: string[]) => Promise<void>) => {
  const seen: string[] = []
  const server: Server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)] as Answer
    seen.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => {
      if (answer === 'silence') return
      if (answer === 'cut') return request.socket.destroy()
      if (answer === 'cut-body') {
        response.writeHead(200, { 'content-length': '100', 'content-type': 'application/json' })
        response.write('{"half"')
        setTimeout(() => request.socket.destroy(), 20)
        return
      }
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(answer.status === 204 ? undefined : (answer.body ?? '{}'))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
  } finally {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
}

export const ok: Answer = { status: 200 }
