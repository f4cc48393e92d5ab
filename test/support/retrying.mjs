// Run in the network of a pod: clients that ask for one URL through one proxy, each on a connection of its own, again
// and again, and try again at once when that fails. Arguments: address, port, url, clients, ms that one try may take.
// Ends when stdin does, and then says of every request that did not succeed at once when it began, how long it took and
// how often it was tried, and how many did not within 30 s.
import { request } from 'node:http'

const [address = '', port = '', url = '', clients = '', tryMs = ''] = process.argv.slice(2)
/** @type {{ began: number, ms: number, tries: number }[]} */
const slow = []
/** @type {Record<string, number>} */
const by = {}
let asked = 0
let lost = 0
let over = false

/** @returns {Promise<string | null>} */
const once = () =>
  new Promise(resolve => {
    const headers = { host: new URL(url).host, connection: 'close' }
    const it = request({ host: address, port, path: url, headers, agent: false, timeout: Number(tryMs) }, answer => {
      let body = ''
      answer.setEncoding('utf8').on('data', text => {
        body += text
      })
      answer.on('error', () => resolve(null)).on('end', () => resolve(answer.statusCode === 200 ? body.trim() : null))
    })
    it.on('timeout', () => it.destroy(new Error('no answer')))
    it.on('error', () => resolve(null)).end()
  })

const client = async () => {
  while (!over) {
    const began = Date.now()
    let tries = 0
    for (;;) {
      tries++
      const seen = await once()
      if (seen !== null) {
        by[seen] = (by[seen] ?? 0) + 1
        break
      }
      await new Promise(resolve => setTimeout(resolve, 10))
      if (Date.now() - began > 30_000) {
        lost++
        break
      }
    }
    asked++
    if (tries > 1) slow.push({ began, ms: Date.now() - began, tries })
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
process.stdin
  .on('end', () => {
    over = true
  })
  .resume()
await Promise.all(Array.from({ length: Number(clients) }, client))
process.stdout.write(`${JSON.stringify({ asked, lost, slow, by })}\n`)
