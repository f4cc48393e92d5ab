import { Problem } from '../../engine/problem.ts'
import { guardZone } from '../guard/zones.ts'
import { quote } from '../shell.ts'
import { type Edit, editBack, editDiff, editInPlace, textOf } from './edit.ts'
import { type FileState, fileTask, lookFile, sameFile } from './file.ts'
import { fields, type TaskKind } from './kind.ts'

/** `key` is a line of authorized_keys, with options if it has any. It is known by its base64 part. */
export type AuthorizedKeyTask = {
  task: 'authorizedKey'
  user: string
  key: string
  present?: boolean
  /** How long the host waits for a new login when the key goes. */
  confirmSeconds?: number
}
/** `folder`: what ~/.ssh is. The user may be made by a task before this one: then all is absent. */
export type AuthorizedKeyState = { folder: 'absent' | 'directory' | 'other'; file: FileState }

const title = ({ user, key }: AuthorizedKeyTask) => `key ${partsOf(key).label} of ${user}`

/** A public key may log in as a user. Other keys are left; a link in the way is refused, since we write as root. */
export const authorizedKeyTask: TaskKind<AuthorizedKeyTask, AuthorizedKeyState> = {
  title,
  look: ({ user }) => `${find(user)}
if [ -n "$h" ]; then
  if [ -d "$d" ] && [ ! -L "$d" ]; then echo folder directory; elif [ -e "$d" ] || [ -L "$d" ]; then echo folder other; fi
${lookFile('"$d/authorized_keys"')}
fi`,
  parse(output) {
    const { folder = 'absent' } = fields(output)
    return { folder: folder as AuthorizedKeyState['folder'], file: fileTask.parse(output) }
  },
  diff(task, { folder, file }) {
    const name = title(task)
    if (folder === 'other') return { name, action: 'update', diff: 'not edited: ~/.ssh is not a directory' }
    const diff = editDiff(`~${task.user}/.ssh/authorized_keys`, editOf(task), file)
    if (diff === null) return null
    return { name, action: file.type === 'absent' ? 'create' : 'update', diff }
  },
  change(task, { file }) {
    const was = textOf(file)
    if ('why' in was) return `echo ${quote(`authorized_keys of ${task.user}: ${was.why}`)}; exit 1`
    return `${find(task.user)}
if [ -z "$h" ]; then echo ${quote(`there is no user ${task.user}`)}; exit 1; fi
if [ -L "$d" ] || { [ -e "$d" ] && [ ! -d "$d" ]; }; then echo "$d is not a directory"; exit 1; fi
[ -d "$d" ] || { mkdir -m 700 -- "$d"; chown -- "$owner" "$d"; }
fresh=no; [ -e "$p" ] || fresh=yes
${editInPlace(editOf(task), 'if [ $fresh = yes ]; then chown -- "$owner" {}; chmod -- 600 {}; fi')}`
  },
  restore: (task, { folder, file }) => `${find(task.user)}
if [ -n "$h" ] && [ ! -L "$d" ]; then
${editBack(editOf(task), file)}
${folder === 'absent' ? 'rmdir -- "$d" 2>/dev/null || :' : ':'}
fi`,
  same: (before, now) => before.folder === now.folder && sameFile(before.file, now.file),
  // It may be the one we log in with.
  guard: ({ user, present = true, confirmSeconds = 30 }) =>
    present
      ? null
      : {
          ...guardZone('login', confirmSeconds),
          save: `${find(user)}\nif [ -n "$h" ] && [ -f "$p" ]; then cp -p -- "$p" key; fi`,
          back: `${find(user)}\nif [ -f key ]; then cp -p -- key "$c"; mv -f -- "$c" "$p"; fi`,
          boot: `${find(user)}\nif [ -f key ]; then cp -p -- key "$c"; mv -f -- "$c" "$p"; fi`,
        },
}

/** The user's home $h, its $d and the file $p with the candidate $c, and the $owner they get. */
const find = (user: string) => `e=$(getent passwd ${quote(user)}) || e=
h=$(printf %s "$e" | cut -d: -f6) owner=$(printf %s "$e" | cut -d: -f3,4)
d=$h/.ssh p=$h/.ssh/authorized_keys c=$h/.ssh/.authorized_keys.kapsule-egress.new`

const editOf = ({ key, present = true }: AuthorizedKeyTask): Edit => ({
  matches: [{ has: ` ${partsOf(key).blob}` }],
  put: present ? [key] : [],
})

const partsOf = (key: string): { blob: string; label: string } => {
  const match = /(?:^| )((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+) ([A-Za-z0-9+/]{40,}={0,2})(?: (.*))?$/.exec(key)
  if (match && !/[\n\r]/.test(key))
    return { blob: match[2]!, label: match[3] || `${match[1]} ...${match[2]!.slice(-12)}` }
  throw new Problem('an authorized key is not a public key', {
    why: 'it has to be one line of type, base64 and comment, as in the file that ends in .pub',
    next: 'give the public half; if this was the private one, it was not shown or sent, but make a new pair',
    exit: 2,
  })
}
