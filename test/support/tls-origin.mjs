// A destination of a test's proxy that speaks TLS with a certificate of its own, in a network namespace. Arguments:
// address, PEM of key and certificate. Prints a line when it listens, and one for every connection that it gets.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:tls'

const [host, file = ''] = process.argv.slice(2)
const pem = readFileSync(file)
const server = createServer({ key: pem, cert: pem }, socket => {
  socket.on('error', () => socket.destroy())
  socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nfrom the origin itself'))
})
server.on('connection', () => console.log('connection'))
server.on('tlsClientError', () => {})
server.listen({ host, port: 443 }, () => console.log('listening'))
