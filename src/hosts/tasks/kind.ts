import type { Json } from '../../engine/json.ts'
import type { Detail } from '../../engine/kind.ts'
import type { Guard } from '../guard/guard.ts'

/**
 * One sort of task on a host. What touches the host are sh fragments that travel in one script with all others:
 * `look` prints the state, `change` and `restore` run under `set -e`, as root, and are idempotent.
 */
export type TaskKind<Task, State extends Json> = {
  title(task: Task): string
  look(task: Task): string
  /** Runs once before the looks of all tasks of this kind, which may then answer without processes of their own. */
  ahead?(tasks: Task[]): string
  /** `look` never exits, nor leaves the shell other than it was but for names: it needs none of its own. */
  plain?: true
  parse(output: string, task?: Task): State
  /** Pure; null: nothing to do. Never shows a secret. */
  diff(task: Task, state: State): Detail | null
  change(task: Task, state: State): string
  /** Makes the host as `before` again, whatever is there now. */
  restore(task: Task, before: State): string
  /** The same, to follow a `change` of the same bundle, which has kept the file on the host; absent: `restore`. */
  restoreHere?(task: Task, before: State): string
  /** Is there something to restore? Both looks saw what is compared. */
  same(before: State, now: State, task: Task): boolean
  /** Running services see the change at once, so taking it back needs their handlers again. */
  live?: true
  /** A change that could cut us off: a new login must confirm it, or the host takes it back. `state`: what is there. */
  guard?(task: Task, state?: State): Guard | null
}

/** What any task may say besides. A change that fails is tried again; one that takes longer than its time has failed. */
export type Extras = {
  /** For `--tags`; `always`: whatever tags are named. */
  tags?: string[]
  retries?: number
  /** Between two tries; absent: 1. */
  delaySeconds?: number
  timeoutSeconds?: number
  /** ID or ID_LIKE of os-release, e.g. `debian`: left out elsewhere. The play needs a facts task. */
  onlyOn?: string[]
}

/** `key value` lines, as most looks print them. */
export const fields = (output: string): Record<string, string> =>
  Object.fromEntries(
    output
      .split('\n')
      .filter(line => line.includes(' '))
      .map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  )
