import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Replaces a file so that a reader, or a power cut, finds the old or the new one. */
export const replaceFile = (path: string, content: string, mode = 0o600): void => {
  const next = `${path}.${process.pid}.new`
  const file = openSync(next, 'w', mode)
  writeSync(file, content)
  fsyncSync(file)
  closeSync(file)
  renameSync(next, path)
}

export const readJson = <T>(path: string): T | null => {
  const text = readText(path)
  return text === null ? null : (JSON.parse(text) as T)
}

export const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return null
    throw thrown
  }
}

/** Writes a file of a host's disk, with its directories. */
export const put = (path: string, content: string, mode = 0o644): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
}
