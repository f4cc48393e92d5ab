import { closeSync, createReadStream, openSync, readSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A container's log from its last lines on; with `follow` until the container has ended or the reader is gone. */
export async function* readLog(
  path: string,
  ended: () => boolean,
  { tailLines, follow }: { tailLines?: number; follow?: AbortSignal },
): AsyncIterable<Buffer> {
  const first = await readFile(path).catch(() => Buffer.alloc(0))
  const shown = tailLines === undefined ? first : tail(first, tailLines)
  if (shown.length > 0) yield shown
  let offset = first.length
  while (follow && !follow.aborted) {
    // looked at before the file: what was written just before the end is read once more
    const last = ended()
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (size < offset) offset = 0
    if (size > offset) {
      for await (const chunk of createReadStream(path, { start: offset, end: size - 1 })) yield chunk as Buffer
      offset = size
    }
    if (last) return
    await sleep(80, undefined, { signal: follow }).catch(() => {})
  }
}

export const tail = (text: Buffer, lines: number): Buffer => {
  if (lines <= 0) return Buffer.alloc(0)
  let at = text.length - (text.at(-1) === 10 ? 1 : 0)
  for (let left = lines; left > 0 && at >= 0; left--) at = at === 0 ? -1 : text.lastIndexOf(10, at - 1)
  return text.subarray(at + 1)
}

/** Keeps the end of a log that has grown past its size. The writer appends, so the file can shrink under it. */
export const capLog = (path: string, bytes: number): void => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size <= bytes) return
  const kept = Buffer.alloc(Math.floor(bytes / 8))
  const file = openSync(path, 'r')
  readSync(file, kept, 0, kept.length, size - kept.length)
  closeSync(file)
  truncateSync(path, 0)
  writeFileSync(path, kept.subarray(kept.indexOf(10) + 1), { flag: 'a' })
}
