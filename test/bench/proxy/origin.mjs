// The quickest destination there is, so that it is not what gets measured: one fixed answer to whatever ends in an
// empty line, on HTTP's port and inside tunnels; anything else is given back. Argument: addresses, comma-separated. Prints a line when all listen.
import { createServer } from 'node:net'

const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 21\r\n\r\nhere is your answer.\n',
)
const [addresses = ''] = process.argv.slice(2)
/** @type {Promise<null>[]} */
const listening = []
for (const host of addresses.split(','))
  for (const port of [80, 443]) {
    const server = createServer({ noDelay: true }, socket => {
      socket.on('error', () => socket.destroy())
      socket.on('data', it => {
        socket.write(it.at(-1) === 10 && it.at(-3) === 10 ? answer : it)
      })
    })
    listening.push(new Promise(resolve => server.listen({ host, port, backlog: 4096 }, () => resolve(null))))
  }
await Promise.all(listening)
console.log('listening')
