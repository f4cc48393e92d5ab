import type { Json } from '../engine/json.ts'
import type { Counts } from '../engine/step.ts'
import { createMask, secretsOf } from './mask.ts'

/** How a run ended: the Contract's words. */
export type Status = 'ok' | 'failed' | 'rolled-back' | 'stuck' | 'changes-pending' | 'interrupted'

/** Where a command's words go. stdout is for data, stderr for talk. Secrets that are known here go nowhere. */
export type Output = {
  json: boolean
  /** A JSON line on stdout, with --json only. */
  event(name: string, data?: object): void
  /** Data for people on stdout, without --json only. */
  data(text: string): void
  /** Talk, on stderr. */
  say(line: string): void
  /** The last event of a run: how it ended, with what is known by then. */
  summarise(status: Status): void
  /** What is known so far; goes into the summary however the run ends. */
  know(part: Partial<Known>): void
  /** From now on these values are masked, besides the secrets of the environment. */
  hide(...secrets: string[]): void
  /** The same text without them, for other ways out. */
  mask(text: string): string
}

export type Known = { context: string; run: string; changes: Counts; outputs: { [key: string]: Json } }

type Streams = { stdout: Pick<NodeJS.WriteStream, 'write'>; stderr: Pick<NodeJS.WriteStream, 'write'> }

export const createOutput = (
  { json, env = process.env }: { json: boolean; env?: NodeJS.ProcessEnv },
  streams: Streams = process,
  now = () => Date.now(),
): Output => {
  const began = now()
  const { hide, mask } = createMask()
  hide(...secretsOf(env))
  const known: Known = { context: '', run: '', changes: { create: 0, update: 0, delete: 0, unchanged: 0 }, outputs: {} }
  const event = (name: string, data: object = {}) => {
    if (!json) return
    const line = JSON.stringify({ time: new Date(now()).toISOString(), event: name, ...data })
    streams.stdout.write(`${mask(line)}\n`)
  }
  return {
    json,
    event,
    data(text) {
      if (!json) streams.stdout.write(`${mask(text)}\n`)
    },
    say(line) {
      streams.stderr.write(`${mask(line)}\n`)
    },
    hide,
    mask,
    know(part) {
      Object.assign(known, part)
    },
    summarise(status) {
      const { context, run, changes, outputs } = known
      event('summary', { status, context, run, durationMs: now() - began, changes, outputs })
    },
  }
}

/** A reader that went away (`| head`, a terminal) gets no more words; the run goes on to its end. */
export const surviveClosedPipes = (streams: NodeJS.EventEmitter[] = [process.stdout, process.stderr]) => {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
}
