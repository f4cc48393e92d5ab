import { Problem } from '../../engine/problem.ts'
import { covers, visibleCalls } from '../guard/visible.ts'
import { guardZones, type Zone } from '../guard/zones.ts'
import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

/**
 * A command is due when what `creates` names is missing, `unless` fails and `changedWhen` succeeds; at least one is
 * given. They are asked before, and change nothing: so check mode is exact. `undo` takes `run` back.
 */
export type CommandTask = {
  task: 'command'
  name: string
  run: string
  creates?: string
  unless?: string
  changedWhen?: string
  undo?: string
  /** What `run` could cut us off with: kept before, and confirmed or taken back. `[]`: nothing, whatever it calls. */
  guard?: Zone | Zone[]
  confirmSeconds?: number
  notify?: string[]
}
export type CommandState = { done: boolean }

/** The way out where no other task fits. Its commands are sh, written by us, never data from elsewhere. */
export const commandTask: TaskKind<CommandTask, CommandState> = {
  title: ({ name }) => `command ${name}`,
  // Without the lock: what a question leaves running would keep the change waiting for it.
  look: task =>
    `if ${doneWhen(checked(task))
      .map(it => `( ${it}\n) >/dev/null 2>&1 9<&-`)
      .join(' || ')}; then echo done yes; else echo done no; fi`,
  parse: output => ({ done: fields(output).done === 'yes' }),
  diff: ({ name, run }, { done }) => (done ? null : { name: `command ${name}`, action: 'update', diff: `+ ${run}` }),
  change: ({ run }) => run,
  restore: ({ undo }, { done }) => (done || !undo ? ':' : undo),
  same: (before, now) => before.done === now.done,
  guard({ guard, confirmSeconds = 30 }) {
    const zones = zonesOf(guard)
    // Nothing in force after it: what a zone does there could take the command's effect away again.
    return zones.length ? guardZones(zones, confirmSeconds) : null
  },
}

const zonesOf = (guard: CommandTask['guard']): Zone[] => (typeof guard === 'string' ? [guard] : (guard ?? []))

const checked = (task: CommandTask): CommandTask => {
  const { name, run, undo = '', guard } = task
  const zones = zonesOf(guard)
  if (guard !== undefined && zones.length === 0) return task
  const open = visibleCalls(`${run}\n${undo}`).filter(({ zone }) => !covers(zones, zone))
  if (open.length === 0) return task
  const down = open.find(it => it.zone === null)
  if (down)
    throw new Problem(`command ${name} takes the host down, and nothing would bring it back`, {
      why: `it calls ${down.call}: what the host was doing for this run ends with it`,
      next: 'do that between two runs, by hand; guard: [] says that it cannot cut anybody off',
      exit: 2,
    })
  const needed = [...new Set([...zones, ...open.map(it => it.zone)])]
  throw new Problem(`command ${name} could lock us out, and nothing would take it back`, {
    why: `it calls ${open.map(it => `${it.call} (${it.zone})`).join('; ')}`,
    next: `give it guard: [${needed.map(it => `'${it}'`).join(', ')}], so that a new login confirms it or the host undoes it; guard: [] says that it cannot cut anybody off`,
    exit: 2,
  })
}

const doneWhen = ({ name, creates, unless, changedWhen }: CommandTask): string[] => {
  const asked = [
    ...(creates === undefined ? [] : [`p=${quote(creates)}; [ -e "$p" ] || [ -L "$p" ]`]),
    ...(unless === undefined ? [] : [unless]),
    ...(changedWhen === undefined ? [] : [`! ( ${changedWhen}\n)`]),
  ]
  if (asked.length) return asked
  throw new Problem(`command ${name} would run every time`, {
    why: 'it has none of creates, unless and changedWhen, so nobody can say whether it has to run',
    next: 'give it one of them',
    exit: 2,
  })
}
