import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * Listens on every address of its namespace, writes down whatever arrives, and answers each request with the address it
 * reached: `sink.ts PORT,PORT`. Reads `report` and tells all connections since the last report.
 */
export type Visit = { address: string; port: number; from: string; bytes: number; text: string }

let visits: Visit[] = []

const ports = process.argv[2]!.split(',').map(Number)
let waiting = ports.length
for (const port of ports)
  createServer(socket => {
    const plain = (it: string | undefined) => (it ?? '').replace(/^::ffff:/, '')
    const visit = { address: plain(socket.localAddress), port, from: plain(socket.remoteAddress), bytes: 0, text: '' }
    visits.push(visit)
    let head = ''
    socket.on('error', () => {})
    socket.on('data', chunk => {
      visit.bytes += chunk.length
      const text = chunk.toString('latin1')
      if (visit.text.length < 4000) visit.text += text
      head += text
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        const method = head.split(' ', 1)[0]
        head = head.slice(end + 4)
        const body = `reached ${visit.address} ${port}\n`
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Sink: reached\r\nContent-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`,
        )
      }
    })
  }).listen(port, '::', () => {
    if (--waiting === 0) console.log('"ready"')
  })

createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify(visits))
  visits = []
})
process.stdin.on('end', () => process.exit())
