import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Packages of this machine's distribution as files, without installing anything here. A string says why they cannot be
 * had. Removed when the process ends.
 */
export const fetchDebs = (...names: string[]): { dir: string; files: string[] } | string => {
  const dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-debs-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const apt = (...args: string[]) => execFileSync('apt-get', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    try {
      apt('-q', 'download', ...names)
    } catch {
      // A machine without package lists finds nothing.
      apt('-q', 'update')
      apt('-q', 'download', ...names)
    }
  } catch (error) {
    return `apt-get cannot fetch ${names.join(', ')}: ${(error as Error).message.split('\n').slice(-2).join(' ')}`
  }
  return { dir, files: readdirSync(dir).filter(it => it.endsWith('.deb')) }
}

/** What the packages contain, below a directory of its own. */
export const unpackDebs = ({ dir, files }: { dir: string; files: string[] }): string => {
  const root = join(dir, 'root')
  mkdirSync(root)
  for (const it of files) execFileSync('dpkg', ['-x', join(dir, it), root])
  return root
}
