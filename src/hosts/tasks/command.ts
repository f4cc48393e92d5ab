import { fields, type TaskKind } from './kind.ts'

/** `unless` succeeds when nothing needs to be done, and changes nothing; `undo` takes `run` back. */
export type CommandTask = {
  task: 'command'
  name: string
  run: string
  unless: string
  undo?: string
  notify?: string[]
}
export type CommandState = { done: boolean }

/** The way out where no other task fits. Both commands are sh, written by us, never data from elsewhere. */
export const commandTask: TaskKind<CommandTask, CommandState> = {
  title: ({ name }) => `command ${name}`,
  look: ({ unless }) => `if ( ${unless}\n) >/dev/null 2>&1; then echo done yes; else echo done no; fi`,
  parse: output => ({ done: fields(output).done === 'yes' }),
  diff: ({ name, run }, { done }) => (done ? null : { name: `command ${name}`, action: 'update', diff: `+ ${run}` }),
  change: ({ run }) => run,
  restore: ({ undo }, { done }) => (done || !undo ? ':' : undo),
  same: (before, now) => before.done === now.done,
}
