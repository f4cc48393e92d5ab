// Makes load and tells what it cost: one order a line on stdin (see `Order` in load.ts), one result a line on stdout. It
// lives on between orders, so that what is measured is never a program that still warms up.
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'

/** @param {import('./load.ts').Order} order */
const load = async ({ host, port, what, connections, ms, names, tls }) => {
  /** @type {number[]} */
  const tookMs = []
  /** @type {string[]} */
  const failed = []
  const began = performance.now()
  let turn = 0
  const worker = async () => {
    /** @type {Line | undefined} */
    let line
    while (performance.now() - began < ms && failed.length < 100) {
      const name = names[turn++ % names.length]
      const from = performance.now()
      try {
        if (what === 'tunnel' || !line) line = await open(host, port, tls)
        if (what === 'tunnel') await line.ask(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`, '\r\n\r\n')
        const path = what === 'get' ? `http://${name}/` : '/'
        await line.ask(`GET ${path} HTTP/1.1\r\nHost: ${name}\r\n\r\n`, 'here is your answer.\n')
        tookMs.push(performance.now() - from)
      } catch (error) {
        failed.push(/** @type {Error} */ (error).message)
        line?.close()
        line = undefined
      }
      if (what === 'tunnel') line?.close()
    }
    line?.close()
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - began) / 1000
  tookMs.sort((a, b) => a - b)
  const at = (/** @type {number} */ share) =>
    tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0
  const [p50, p99, worst] = [at(0.5), at(0.99), at(1)]
  return { done: tookMs.length, seconds, p50, p99, worst, failed: failed.length, because: failed[0] ?? '' }
}

/** @typedef {{ ask(text: string, end: string): Promise<void>, close(): void }} Line */

/** @type {(host: string, port: number, tls?: import('./load.ts').Order['tls']) => Promise<Line>} */
const open = (host, port, tls) =>
  new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, ...tls }) : connect({ host, port, noDelay: true })
    if (tls) socket.setNoDelay(true)
    let seen = ''
    let wanted = ''
    /** @type {(error?: Error) => void} */
    let settle = error => (error ? reject(error) : undefined)
    socket.setEncoding('latin1')
    socket.on('data', it => {
      seen += it
      if (!seen.endsWith(wanted)) return
      const refused = seen.startsWith('HTTP/1.1 200') ? undefined : new Error(seen.slice(0, 60))
      seen = ''
      settle(refused)
    })
    socket.on('error', error => settle(error))
    socket.on('close', () => settle(new Error('closed')))
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on(tls ? 'secureConnect' : 'connect', () =>
      resolve({
        ask: (text, end) =>
          new Promise((done, fail) => {
            wanted = end
            settle = error => (error ? fail(error) : done())
            socket.write(text)
          }),
        close: () => void socket.destroy(),
      }),
    )
  })

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await load(JSON.parse(line))))
}
