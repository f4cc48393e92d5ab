import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from './problem.ts'

export type Holder = { run: string; command: string; pid: number; host: string; since: string; ended?: string }

export type Lock = {
  /** Who held it before and died without letting go; null when the last one ended well. */
  tookOverFrom: Holder | null
  release(): void
}

/**
 * One run per context. The lock is a file lock of the operating system (through SQLite), so it ends with its holder
 * however that dies; the note beside it only says who that is. Throws a Problem with exit 4 when somebody holds it.
 */
export const takeLock = (stateDirectory: string, mine: { run: string; command: string }): Lock => {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const note = join(stateDirectory, 'lock.json')
  const database = new DatabaseSync(join(stateDirectory, 'lock.db'))
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!/locked|busy/i.test(String(error))) throw error
    throw heldBy(readNote(note), stateDirectory)
  }
  const last = readNote(note)
  const holder: Holder = { ...mine, pid: process.pid, host: hostname(), since: new Date().toISOString() }
  writeFileSync(note, JSON.stringify(holder), { mode: 0o600 })
  return {
    tookOverFrom: last && !last.ended ? last : null,
    release() {
      writeFileSync(note, JSON.stringify({ ...holder, ended: new Date().toISOString() }), { mode: 0o600 })
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

const readNote = (note: string): Holder | null => {
  try {
    return JSON.parse(readFileSync(note, 'utf8')) as Holder
  } catch {
    return null
  }
}

const heldBy = (holder: Holder | null, stateDirectory: string) =>
  new Problem('another run holds this context', {
    why: holder
      ? `${holder.command} (run ${holder.run}, process ${holder.pid} on ${holder.host}) since ${holder.since}`
      : `its lock in ${stateDirectory} was taken a moment ago`,
    next: 'wait for it to end, or end it; nothing was touched',
    exit: 4,
  })
