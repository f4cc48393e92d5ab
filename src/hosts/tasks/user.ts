import { guardZone } from '../guard/zones.ts'
import { quote } from '../shell.ts'
import { accountName } from './account-name.ts'
import { fields, type TaskKind } from './kind.ts'

/**
 * What is left out is left as it is. No home is made (a `directory` task does), no password is set, and nobody is
 * deleted: files would keep a number that the next user gets. `locked` keeps everybody out, keys too.
 */
export type UserTask = {
  task: 'user'
  name: string
  uid?: number
  /** The primary group; by default the system's way, mostly a group of the same name. */
  group?: string
  /** A member of these at least. */
  groups?: string[]
  home?: string
  shell?: string
  system?: boolean
  locked?: boolean
  /** How long the host waits for a new login after `locked`, `shell`, `home` or `uid` changed: they may be those we log in as. */
  confirmSeconds?: number
}
/** `expires`: days since 1970 as text, '' for never. */
export type UserState = null | {
  uid: string
  group: string
  groups: string[]
  home: string
  shell: string
  expires: string
}

const title = ({ name }: UserTask) => `user ${name}`

/** A user of the host's own files, by useradd and usermod. Undo deletes one it made; a home it has then stays. */
export const userTask: TaskKind<UserTask, UserState> = {
  title,
  look: ({ name }) => `u=${accountName(name)}
if e=$(getent passwd "$u"); then
  echo "passwd $e"
  echo "group $(id -gn -- "$u")"
  echo "groups $(id -Gn -- "$u")"
  echo "expires $(getent shadow "$u" | cut -d: -f8)"
fi`,
  parse(output, task) {
    const { passwd, group: named = '', groups = '', expires = '' } = fields(output)
    if (passwd === undefined) return null
    const [, , uid = '', gid = '', , home = '', shell = ''] = passwd.split(':')
    // A number that is wanted is told as a number.
    const group = task?.group === gid ? gid : named
    const others = groups.split(' ').filter(it => it !== '' && it !== named)
    return { uid, group, groups: others.sort(), home, shell, expires }
  },
  diff(task, state) {
    if (!state)
      return { name: title(task), action: 'create', diff: options(task, null).join(' ') || 'as the system makes users' }
    const lines = changes(task, state).map(([what, was, want]) => `${what}: ${was || 'none'} -> ${want || 'none'}`)
    return lines.length ? { name: title(task), action: 'update', diff: lines.join('\n') } : null
  },
  change(task, state) {
    if (!state)
      return `useradd -M ${task.system ? '-r ' : ''}${options(task, null).map(quote).join(' ')} -- ${accountName(task.name)}`
    return `usermod ${options(task, state).map(quote).join(' ')} -- ${accountName(task.name)}`
  },
  restore(task, before) {
    const name = accountName(task.name)
    if (!before) return `if getent passwd ${name} >/dev/null; then userdel -- ${name}; fi`
    const { uid, group, groups, home, shell, expires } = before
    const back = ['-g', group, '-G', groups.join(','), '-d', home, '-s', shell, '-e', expires]
    return `usermod -u ${quote(uid)} ${back.map(it => (it === '' ? "''" : quote(it))).join(' ')} -- ${name}`
  },
  same: (before, now) => JSON.stringify(before) === JSON.stringify(now),
  // A user that is not there is nobody we come in as. sshd goes by the home, and by whom it belongs to.
  guard: ({ uid, home, locked, shell, confirmSeconds = 30 }, state) =>
    state !== null && (locked || [shell, home, uid].some(it => it !== undefined))
      ? { ...guardZone('login', confirmSeconds), keep: ['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/gshadow'] }
      : null,
}

/** One day after the beginning of time: sshd and login refuse the account whatever it shows. */
const gone = '1'

const changes = ({ uid, group, groups = [], home, shell, locked }: UserTask, state: NonNullable<UserState>) => {
  const missing = groups.filter(it => it !== state.group && !state.groups.includes(it))
  const isLocked = state.expires === gone
  const all: [string, string, string | undefined][] = [
    ['uid', state.uid, uid?.toString()],
    ['group', state.group, group],
    ['groups', state.groups.join(','), missing.length ? [...state.groups, ...missing].join(',') : undefined],
    ['home', state.home, home],
    ['shell', state.shell, shell],
    ['expires', state.expires, locked === undefined || locked === isLocked ? undefined : locked ? gone : ''],
  ]
  return all.filter(([, was, want]) => want !== undefined && want !== was) as [string, string, string][]
}

const flags: Record<string, string> = { uid: '-u', group: '-g', groups: '-G', home: '-d', shell: '-s', expires: '-e' }

const options = (task: UserTask, state: UserState): string[] =>
  changes(task, state ?? { uid: '', group: '', groups: [], home: '', shell: '', expires: '' }).flatMap(
    ([what, , want]) => [flags[what]!, want],
  )
