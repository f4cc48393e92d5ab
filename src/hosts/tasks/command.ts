import { Problem } from '../../engine/problem.ts'
import { covers, visibleCalls } from '../guard/visible.ts'
import { guardZones, type Zone, zoneNames } from '../guard/zones.ts'
import { quote, unbase64 } from '../shell.ts'
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
    `ke_bad=$( { eval ${quote(readOnly(task))}; } 2>&1 ) || { echo "bad $(printf %s "$ke_bad" | base64 -w0)"; exit; }
if ${doneWhen(checked(task))
      .map(it => `( ${it}\n) >/dev/null 2>&1 9<&-`)
      .join(' || ')}; then echo done yes; else echo done no; fi`,
  parse(output, task) {
    const { done, bad } = fields(output)
    if (bad !== undefined) throw notSh(task!.name, unbase64(bad).toString())
    return { done: done === 'yes' }
  },
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

/** All that is sh in it, for a shell that reads it and runs nothing: one text that it cannot read ends a whole script. */
const readOnly = ({ run, undo, unless, changedWhen }: CommandTask): string =>
  [run, undo, unless, changedWhen]
    .filter(it => it !== undefined)
    .map((it, n) => `ke_read_${n}() {\n${it}\n}`)
    .join('\n')

const notSh = (name: string, said: string) =>
  new Problem(`command ${name} is no sh that the host can read`, {
    why: said.trim().slice(-500) || 'its shell does not say why',
    next: 'correct run, undo, unless or changedWhen: a quote may be open, or nothing but a comment left',
    exit: 2,
  })

const zonesOf = (guard: CommandTask['guard']): Zone[] => (typeof guard === 'string' ? [guard] : (guard ?? []))

const checked = (task: CommandTask): CommandTask => {
  const { name, run, undo = '', guard } = task
  const zones = zonesOf(guard)
  const none = zones.find(it => !zoneNames.includes(it))
  if (none !== undefined)
    throw new Problem(`command ${name} has a guard that there is not: ${JSON.stringify(none)}`, {
      why: `guards are ${zoneNames.join(', ')}`,
      next: 'correct it where the task is written',
      exit: 2,
    })
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
    ...(unless === undefined ? [] : [`eval ${quote(unless)}`]),
    ...(changedWhen === undefined ? [] : [`! ( eval ${quote(changedWhen)}\n)`]),
  ]
  if (asked.length) return asked
  throw new Problem(`command ${name} would run every time`, {
    why: 'it has none of creates, unless and changedWhen, so nobody can say whether it has to run',
    next: 'give it one of them',
    exit: 2,
  })
}
