import type { Json } from '../engine/json.ts'
import type { Counts } from '../engine/step.ts'
import type { Status } from './summary.ts'

/** Where a command's words go. stdout is for data, stderr for talk. */
export type Output = {
  json: boolean
  /** A JSON line on stdout, with --json only. */
  event(name: string, data?: object): void
  /** Data for people on stdout, without --json only. */
  data(text: string): void
  /** Talk, on stderr. */
  say(line: string): void
  summarise(end: Summary): void
  /** Known once the context is loaded; goes into every summary. */
  about(run: { context: string; run: string }): void
}

export type Summary = { status: Status; changes: Counts; outputs: { [key: string]: Json } }

type Streams = { stdout: Pick<NodeJS.WriteStream, 'write'>; stderr: Pick<NodeJS.WriteStream, 'write'> }

export const createOutput = (
  { json }: { json: boolean },
  streams: Streams = process,
  now = () => Date.now(),
): Output => {
  const began = now()
  let about = { context: '', run: '' }
  const event = (name: string, data: object = {}) => {
    if (json) streams.stdout.write(`${JSON.stringify({ time: new Date(now()).toISOString(), event: name, ...data })}\n`)
  }
  return {
    json,
    event,
    data(text) {
      if (!json) streams.stdout.write(`${text}\n`)
    },
    say(line) {
      streams.stderr.write(`${line}\n`)
    },
    about(run) {
      about = run
    },
    summarise: ({ status, changes, outputs }) =>
      event('summary', { status, ...about, durationMs: now() - began, changes, outputs }),
  }
}

/** Reading into a closed pipe (`| head`) ends quietly. */
export const endOnClosedPipe = () => {
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
}
