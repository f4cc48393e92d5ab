import { isUtf8 } from 'node:buffer'
import { basename, dirname } from 'node:path'
import { quote, unbase64 } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

export type SymlinkTask = { task: 'symlink'; path: string; to: string; notify?: string[] }
/** `to` is base64: a link may hold any byte. */
export type SymlinkState = { type: 'absent' | 'link' | 'other'; to: string }

export const sameLink = (before: SymlinkState, now: SymlinkState): boolean =>
  before.type === now.type && before.to === now.to

const title = ({ path }: SymlinkTask) => `link ${path}`

/** A symbolic link with exactly this target, which need not exist. Replaced by a rename: it is never missing. */
export const symlinkTask: TaskKind<SymlinkTask, SymlinkState> = {
  title,
  look: ({ path }) => `p=${quote(path)}
if [ -L "$p" ]; then echo type link; echo "to $(readlink -n -- "$p" | base64 -w0)"
elif [ -e "$p" ]; then echo type other
else echo type absent; fi`,
  parse(output) {
    const { type = 'absent', to = '' } = fields(output)
    return { type: type as SymlinkState['type'], to }
  },
  diff(task, { type, to }) {
    if (type === 'absent') return { name: title(task), action: 'create', diff: `-> ${task.to}` }
    if (type === 'other')
      return { name: title(task), action: 'update', diff: 'something else is in its place: move it away' }
    const seen = unbase64(to).toString()
    return seen === task.to ? null : { name: title(task), action: 'update', diff: `to: ${seen} -> ${task.to}` }
  },
  change: ({ path, to }) => link(path, Buffer.from(to)),
  restore({ path }, { type, to }) {
    if (type === 'other') return ':'
    return type === 'link'
      ? `p=${quote(path)}
if ! { [ -L "$p" ] && [ "$(readlink -n -- "$p" | base64 -w0)" = ${quote(to)} ]; }; then
${link(path, unbase64(to))}
fi`
      : `p=${quote(path)}\nif [ -L "$p" ]; then rm -f -- "$p"; fi\ndrop_parents "$p"`
  },
  same: sameLink,
}

const link = (path: string, to: Buffer) => `p=${quote(path)}
c=${quote(`${dirname(path)}/.${basename(path)}.kapsule-egress.new`)}
if [ -e "$p" ] && [ ! -L "$p" ]; then echo "$p is not a link"; exit 1; fi
make_parents "$p"
rm -f -- "$c"
${isUtf8(to) ? `to=${quote(to.toString())}` : `to=$(echo ${to.toString('base64')} | base64 -d && echo .); to=\${to%.}`}
ln -s -- "$to" "$c"
mv -fT -- "$c" "$p"
sync -- ${quote(dirname(path))}`
