// The destinations of a test's proxy, in a network namespace: HTTP that answers at once, and ports that give back what
// they get. Argument: addresses, comma-separated. Prints a line when all listen.
import { createServer as http } from 'node:http'
import { createServer as tcp } from 'node:net'

const [addresses = ''] = process.argv.slice(2)
/** @type {Promise<null>[]} */
const listening = []
for (const host of addresses.split(',')) {
  const web = http({ keepAliveTimeout: 60_000 }, (request, answer) => {
    request.resume()
    request.on('end', () => answer.end('here is your answer.\n'))
  })
  const echo = () => tcp(socket => socket.on('error', () => socket.destroy()).pipe(socket))
  const listen = (/** @type {import('node:net').Server} */ server, /** @type {number} */ port) =>
    listening.push(new Promise(resolve => server.listen({ host, port }, () => resolve(null))))
  listen(web, 80)
  listen(echo(), 443)
  listen(echo(), 8443)
}
await Promise.all(listening)
console.log('listening')
