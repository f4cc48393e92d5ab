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
  const quick = ['-q', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=20']
  const apt = (...args: string[]) =>
    execFileSync('apt-get', [...quick, ...args], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    try {
      apt('download', ...names)
    } catch (error) {
      if (!/Unable to locate|find a source/.test((error as Error).message)) throw error
      // A machine without package lists finds nothing.
      apt('update')
      apt('download', ...names)
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
