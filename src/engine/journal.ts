import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from './json.ts'
import type { Change } from './kind.ts'
import { Problem } from './problem.ts'

/** One line of a run's history. Everything an undo needs is in `started` and `done`, as data. */
export type Entry =
  | { event: 'run-started'; command: string; context: string; args?: string[]; pid?: number }
  | {
      event: 'started'
      step: string
      kind: string
      group: string
      needs: string[]
      want: Json
      before: Json | null
      change: Change
      /** What is there before it cannot be brought back: it goes so that what it lives in can be replaced. */
      oneWay?: true
    }
  | { event: 'progress'; step: string; part: string; data?: Json }
  | { event: 'done'; step: string; now: Json | null }
  | { event: 'failed'; step: string; error: string }
  | { event: 'undoing'; step: string }
  /** `runs`: whose changes were taken back; absent: everybody's. */
  | { event: 'undone'; step: string; runs?: string[] }
  | { event: 'undo-failed'; step: string; error: string }
  | { event: 'note'; topic: string; data: Json }
  | { event: 'run-ended'; status: string }

export type Recorded = Entry & { time: string; run: string }

/** Where a run writes what it is about to do. Other stores come behind this. */
export type Journal = {
  readonly run: string
  /**
   * Durable when it returns; with `later` when the next one is, for what is asked again if it is lost. Throws a Problem
   * when it cannot be written; later entries may get through again.
   */
  record(entry: Entry, options?: { later?: boolean }): void
  close(): void
}

export const runsDirectory = (stateDirectory: string) => join(stateDirectory, 'runs')

/** A new run's journal: one file, JSON lines, fsynced line by line. */
export const openJournal = (stateDirectory: string, run: string): Journal => {
  const directory = runsDirectory(stateDirectory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${run}.jsonl`)
  const file = openSync(path, 'ax', 0o600)
  syncDirectory(directory)
  let torn = false
  return {
    run,
    record(entry, { later = false } = {}) {
      const line = `${JSON.stringify({ time: new Date().toISOString(), run, ...entry })}\n`
      try {
        // What follows half a line begins a line of its own.
        writeWhole(file, Buffer.from(torn ? `\n${line}` : line))
        if (!later) fsyncSync(file)
        torn = false
      } catch (error) {
        torn = true
        throw new Problem(`the journal could not be written: ${entry.event}`, {
          why: `${path}: ${(error as Error).message}`,
          next: 'make room there, then run the command again with --resume: it looks at what was done',
          cause: error,
        })
      }
    },
    close: () => closeSync(file),
  }
}

/** Of a run that turned out to be none. */
export const dropJournal = (stateDirectory: string, run: string): void =>
  rmSync(join(runsDirectory(stateDirectory), `${run}.jsonl`), { force: true })

/** A disk with little room takes a part, and says so only by the count. */
const writeWhole = (file: number, bytes: Buffer) => {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

/** A journal that keeps nothing: for looking without changing. */
export const noJournal = (run: string): Journal => ({ run, record() {}, close() {} })

/** Every line of every run of a context, oldest first. A torn last line (power cut) is no entry. */
export const readJournals = (stateDirectory: string): Recorded[] => {
  const directory = runsDirectory(stateDirectory)
  const files = namesIn(directory).filter(name => name.endsWith('.jsonl'))
  return files.sort().flatMap(name => readFileSync(join(directory, name), 'utf8').split('\n').flatMap(parseLine))
}

/** Sorts by time and is readable: 20261121T041530-7f3a. */
export const newRunId = (now = new Date(), random = Math.random()): string =>
  `${now.toISOString().replace(/[-:]/g, '').replace('.', '').slice(0, 18)}-${Math.floor(random * 0x10000)
    .toString(16)
    .padStart(4, '0')}`

const parseLine = (line: string): Recorded[] => {
  if (line === '') return []
  try {
    return [JSON.parse(line) as Recorded]
  } catch {
    return []
  }
}

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const syncDirectory = (directory: string) => {
  const handle = openSync(directory, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
