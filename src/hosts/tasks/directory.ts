import { guardRights, leadsToKeys } from '../guard/homes.ts'
import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

export type DirectoryTask = {
  task: 'directory'
  path: string
  mode: string
  owner: string
  group: string
  /** How long the host waits for a new login, where sshd passes through it to somebody's keys. */
  confirmSeconds?: number
}
export type Rights = { mode: string; owner: string; group: string }
export type DirectoryState = { type: 'absent' | 'directory' | 'other' } & Rights

const title = ({ path }: DirectoryTask) => `directory ${path}`

/** A directory with its owner and mode; parents are made as the system makes them, and go with it. */
export const directoryTask: TaskKind<DirectoryTask, DirectoryState> = {
  title,
  look: ({ path }) => `p=${quote(path)}
if [ -d "$p" ]; then echo type directory; stat -L --printf 'mode %a\\nowner %U %u\\ngroup %G %g\\n' -- "$p"
elif [ -e "$p" ] || [ -L "$p" ]; then echo type other
else echo type absent; fi`,
  parse(output, task) {
    const said = fields(output)
    return { type: (said.type ?? 'absent') as DirectoryState['type'], ...rightsOf(said, task) }
  },
  diff(task, state) {
    if (state.type === 'absent')
      return { name: title(task), action: 'create', diff: `${task.owner}:${task.group} ${task.mode}` }
    if (state.type === 'other') return { name: title(task), action: 'update', diff: 'something else is in its place' }
    const lines = rightsDiff(task, state)
    return lines.length ? { name: title(task), action: 'update', diff: lines.join('\n') } : null
  },
  change: ({ path, mode, owner, group }) => `p=${quote(path)}
make_parents "$p"
mkdir -p -- "$p"
chown -- ${quote(`${owner}:${group}`)} "$p"
chmod -- ${whole(mode)} "$p"`,
  restore({ path }, before) {
    if (before.type === 'absent') return `p=${quote(path)}\nrmdir -- "$p" 2>/dev/null || :\ndrop_parents "$p"`
    if (before.type === 'other') return ':'
    return `p=${quote(path)}
if ! { [ -d "$p" ] && ${haveRights(before)}; }; then
  chown -- ${quote(`${before.owner}:${before.group}`)} "$p"; chmod -- ${whole(before.mode)} "$p"
fi`
  },
  same: (before, now) => before.type === now.type && rightsDiff(before, now).length === 0,
  guard: ({ path, confirmSeconds }, state) =>
    leadsToKeys(path) && state?.type !== 'absent' ? guardRights(path, confirmSeconds) : null,
}

/** With fewer digits chmod lets a directory keep setuid and setgid, which a new one has from its parent. @see chmod(1) */
const whole = (mode: string) => quote(mode.padStart(5, '0'))

/** Does $p have them already? What cannot be written needs no way back either. `mode` as stat says it. */
export const haveRights = ({ mode, owner, group }: Rights): string => {
  const word = (who: string, letter: string) => (/^\d+$/.test(who) ? `%${letter}` : `%${letter.toUpperCase()}`)
  return `[ "$(stat -L -c '%a ${word(owner, 'u')} ${word(group, 'g')}' -- "$p")" = ${quote(`${mode} ${owner} ${group}`)} ]`
}

/**
 * Of `owner NAME UID` and the like: stat says UNKNOWN where a number has no name, and nobody is called that. A number
 * that is wanted is told as a number.
 */
export const rightsOf = (
  { mode = '', owner = '', group = '' }: Record<string, string>,
  want?: Pick<Rights, 'owner' | 'group'>,
): Rights => {
  const who = (text: string, wanted = '') =>
    /^\d+$/.test(wanted) && text.endsWith(` ${wanted}`) ? wanted : text.replace(/^UNKNOWN (?=\d)| \d+$/, '')
  return { mode, owner: who(owner, want?.owner), group: who(group, want?.group) }
}

/** `mode: 0644 -> 0640`, for every right that differs. Modes are compared as numbers. */
export const rightsDiff = (want: Rights, live: Rights): string[] => {
  const mode = (text: string) => text.replace(/^0+(?=.)/, '').padStart(4, '0')
  const lines: string[] = []
  if (mode(want.mode) !== mode(live.mode)) lines.push(`mode: ${mode(live.mode)} -> ${mode(want.mode)}`)
  if (want.owner !== live.owner) lines.push(`owner: ${live.owner} -> ${want.owner}`)
  if (want.group !== live.group) lines.push(`group: ${live.group} -> ${want.group}`)
  return lines
}
