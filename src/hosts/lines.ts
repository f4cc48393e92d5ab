import { Writable } from 'node:stream'

const longest = 64 * 1024

/**
 * Cuts what is written to it into lines. One that is too long is handed over as its beginning; what has no end yet, at
 * the end, is dropped: whoever writes it is not done. Bytes are taken as they are (latin1).
 */
export const createLines = (onLine: (line: string) => void): Writable => {
  let rest = ''
  let skipping = false
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const parts = (rest + chunk.toString('latin1')).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) {
        if (!skipping) onLine(line.length > longest ? line.slice(0, longest) : line)
        skipping = false
      }
      if (rest.length > longest) {
        if (!skipping) onLine(rest.slice(0, longest))
        skipping = true
        rest = ''
      } else if (skipping) rest = ''
      done()
    },
  })
}
