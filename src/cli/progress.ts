import { textOf } from '../engine/apply.ts'
import type { EngineEvent } from '../engine/events.ts'
import { liveProgress } from '../report/live.ts'
import { plainProgress } from '../report/plain.ts'
import type { Progress } from '../report/progress.ts'
import type { Session } from './session.ts'

/** A live tree on a terminal, plain lines elsewhere; every event also goes to `--json`. */
export const progressFor = (session: Session, titles: readonly string[]): Progress => {
  const { output, flags, world } = session
  const live = process.stderr.isTTY && !flags.json && !flags.verbose
  const progress = live
    ? liveProgress(titles, process.stderr)
    : plainProgress(line => output.say(line), { verbose: flags.verbose })
  world.watch = event => {
    progress.watch(event)
    const { event: name, ...data } = shown(event)
    output.event(name, data)
  }
  return progress
}

/** An error as text: a bug's data may hold anything. */
const shown = (event: EngineEvent): { event: string; [key: string]: unknown } =>
  'error' in event ? { ...event, error: textOf(event.error) } : event
