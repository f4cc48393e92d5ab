import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

export type DirectoryTask = { task: 'directory'; path: string; mode: string; owner: string; group: string }
export type Rights = { mode: string; owner: string; group: string }
export type DirectoryState = { type: 'absent' | 'directory' | 'other' } & Rights

const title = ({ path }: DirectoryTask) => `directory ${path}`

/** A directory with its owner and mode; parents are made as the system makes them, and go with it. */
export const directoryTask: TaskKind<DirectoryTask, DirectoryState> = {
  title,
  look: ({ path }) => `p=${quote(path)}
if [ -d "$p" ]; then echo type directory; stat -L --printf 'mode %a\\nowner %U\\ngroup %G\\n' -- "$p"
elif [ -e "$p" ] || [ -L "$p" ]; then echo type other
else echo type absent; fi`,
  parse(output) {
    const { type = 'absent', mode = '', owner = '', group = '' } = fields(output)
    return { type: type as DirectoryState['type'], mode, owner, group }
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
chown ${quote(`${owner}:${group}`)} -- "$p"
chmod ${quote(mode)} -- "$p"`,
  restore({ path }, before) {
    if (before.type === 'absent') return `p=${quote(path)}\nrmdir -- "$p" 2>/dev/null || :\ndrop_parents "$p"`
    if (before.type === 'other') return ':'
    return `chown ${quote(`${before.owner}:${before.group}`)} -- ${quote(path)}; chmod ${quote(before.mode)} -- ${quote(path)}`
  },
  same: (before, now) => before.type === now.type && rightsDiff(before, now).length === 0,
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
