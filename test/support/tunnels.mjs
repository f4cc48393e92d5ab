// Run in the network of a pod: opens tunnels through a proxy and holds them. Arguments: address, port, HOST:PORT, how many.
// Says `open N` when all are there and `ended N` whenever one ends, with how many have; ends with stdin.
import { connect } from 'node:net'

const [address = '', port = '', target = '', count = ''] = process.argv.slice(2)
let ended = 0

/** @returns {Promise<void>} */
const tunnel = () =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), address, () =>
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
    )
    socket.once('data', text => (/ 200 /.test(String(text)) ? resolve() : reject(new Error(String(text)))))
    socket.on('error', reject).on('close', () => {
      ended++
      process.stdout.write(`ended ${ended}\n`)
    })
  })
await Promise.all(Array.from({ length: Number(count) }, tunnel))
process.stdout.write(`open ${count}\n`)
process.stdin.on('end', () => process.exit()).resume()
