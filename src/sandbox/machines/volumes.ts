import { chmodSync, existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { PodVolume } from '../ports.ts'
import { put } from './files.ts'

/** A volume's directory on the node, which containers see by a mount. What is there already stays. */
export const makeVolume = (directory: string, volume: PodVolume): void => {
  mkdirSync(directory, { recursive: true })
  if (volume.files) fillVolume(directory, volume)
  else chmodSync(directory, 0o777)
}

/**
 * As a kubelet does: files in a directory of their own, `..data` as a link to it that turns at once, and a link by each
 * file's name through it.
 */
export const fillVolume = (directory: string, { files = {}, mode = 0o644 }: PodVolume): void => {
  const data = join(directory, '..data')
  const before = existsSync(data) ? readlinkSync(data) : null
  const now = `..${new Date().toISOString().replace(/[-:.TZ]/g, '_')}${Math.random().toString().slice(2, 11)}`
  mkdirSync(join(directory, now), { mode: 0o755 })
  for (const [path, content] of Object.entries(files)) put(join(directory, now, path), content, mode)
  symlinkSync(now, `${data}_tmp`)
  renameSync(`${data}_tmp`, data)
  const names = new Set(Object.keys(files).map(it => it.split('/')[0]!))
  const links = readdirSync(directory).filter(it => !it.startsWith('..'))
  for (const it of names) if (!links.includes(it)) symlinkSync(join('..data', it), join(directory, it))
  for (const it of links) if (!names.has(it)) rmSync(join(directory, it))
  if (before) rmSync(join(directory, before), { recursive: true })
}
