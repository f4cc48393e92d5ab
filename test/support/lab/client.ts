import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * Says raw bytes to a proxy and hears the answer, run in the namespace of the pods: JSON lines in, JSON lines out. A
 * tunnel that opens is asked `probe`.
 */
export type Say = {
  n: number
  from: string
  to: string
  port: number
  /** Bytes as latin1; between two parts it waits `pauseMs`. */
  parts: string[]
  pauseMs: number
  probe: string
  /** How long after the last byte heard an answer is whole; a silent proxy gets 12 s. */
  idleMs: number
}
export type Heard = { n: number; text: string; error: string | null; ms: number }

const say = ({ n, from, to, port, parts, pauseMs, probe, idleMs }: Say) => {
  const began = performance.now()
  let [text, error, asked, ended]: [string, string | null, boolean, boolean] = ['', null, false, false]
  const socket = connect({ host: to, port, localAddress: from })
  let timer = setTimeout(() => end('no answer'), 12_000)
  const end = (why: string | null) => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    error ??= why
    socket.destroy()
    console.log(JSON.stringify({ n, text, error, ms: Math.round(performance.now() - began) } satisfies Heard))
  }
  const sayAll = async () => {
    for (const [at, part] of parts.entries()) {
      if (at > 0) await new Promise(done => setTimeout(done, pauseMs))
      if (!ended) socket.write(Buffer.from(part, 'latin1'))
    }
  }
  socket.on('connect', () => void sayAll())
  socket.on('data', chunk => {
    text += chunk.toString('latin1').slice(0, 20_000)
    const opened = parts[0]!.startsWith('CONNECT ') && /^HTTP\/1\.[01] 200 [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/.test(text)
    if (opened && !asked) socket.write(probe)
    asked ||= opened
    clearTimeout(timer)
    timer = setTimeout(() => end(null), asked && !text.includes('reached ') ? 5000 : idleMs)
  })
  socket.on('error', it => {
    error = it.message
  })
  socket.on('close', () => end(null))
}

createInterface({ input: process.stdin }).on('line', line => say(JSON.parse(line) as Say))
process.stdin.on('end', () => process.exit())
console.log('"ready"')
