import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, dirname } from 'node:path'
import { lazily } from '../../engine/lazily.ts'
import { quote, unbase64, writing } from '../shell.ts'
import { haveRights, type Rights, rightsDiff, rightsOf } from './directory.ts'
import { fields, type TaskKind } from './kind.ts'

export type FileTask = {
  task: 'file'
  path: string
  content: string
  /** Words of the content that only the world knows, such as an address that is yet to be made; a list: by blanks. */
  fill?: Record<string, string | string[]>
  mode: string
  owner: string
  group: string
  /** A command that must succeed on the candidate, written `{}`, before it replaces the file. */
  check?: string
  /** How long the host waits for a new login, where the file could cut us off (sshd, network, firewall). */
  confirmSeconds?: number
  /** Handlers to run at the end if the file changed. */
  notify?: string[]
}
/** `content` is base64; null when there is no file, or it is over 1 MB (then only its hash travels). */
export type FileState = { type: 'absent' | 'file' | 'other'; sha256: string; content: string | null } & Rights

const texts = lazily(() => createRequire(import.meta.url)('diff') as typeof import('diff'))

const maxContent = 1024 * 1024

export const sameFile = (before: FileState, now: FileState): boolean =>
  before.type === now.type && before.sha256 === now.sha256 && rightsDiff(before, now).length === 0

const title = ({ path }: FileTask) => path

/** A file with exactly these bytes. The candidate is checked beside it, and renamed over it when it is on disk. */
export const fileTask: TaskKind<FileTask, FileState> = {
  title,
  ahead: tasks => lookAhead(tasks.map(it => it.path)),
  plain: true,
  look: task => `same=\n${ifSame(filled(task), 'same=yes')}
if [ -n "$same" ]; then echo type same
else ${lookFile(quote(task.path))}
fi`,
  parse(output, task) {
    if (task && output === 'type same\n') return asWanted(filled(task))
    return parseFile(output, task)
  },
  diff(wanted, state) {
    const task = filled(wanted)
    const name = title(task)
    if (state.type === 'absent') return { name, action: 'create', diff: patch(task.path, '', task.content) }
    if (state.type === 'other')
      return { name, action: 'update', diff: 'a link or something else is in its place: move it away' }
    const lines = rightsDiff(task, state)
    const sha256 = hash(task.content)
    if (sha256 !== state.sha256)
      lines.push(state.content === null ? `sha256: ${state.sha256} -> ${sha256}` : patchOf(task, state, state.content))
    return lines.length ? { name, action: 'update', diff: lines.join('\n') } : null
  },
  change: (task, state) => changeFile(filled(task), state),
  restore({ path }, before) {
    if (before.type === 'other') return ':'
    // A candidate that found no room, or that a check left, goes first.
    const begin = `p=${quote(path)}\nc=${quote(candidate(path))}\nrm -rf -- "$c"`
    if (before.type === 'absent') return `${begin}\nkeep_backup "$p"\nrm -f -- "$p"\ndrop_parents "$p"`
    return `${begin}
if ! { [ -f "$p" ] && [ "$(sha256sum <"$p" | cut -c1-64)" = ${quote(before.sha256)} ] && ${haveRights(before)}; }; then
keep_backup "$p"
${before.content === null ? `find_backup "$p" ${quote(before.sha256)} >"$c"` : writing(unbase64(before.content), '"$c"')}
${rights(before)}
put_in_place "$c" "$p"
fi`
  },
  restoreHere: (task, before) =>
    fileTask.restore(task, before.content && before.content.length > large ? { ...before, content: null } : before),
  same: sameFile,
}

/** Of base64: what is longer is not sent back to where it is. */
const large = 64 * 1024

const changeFile = (task: FileTask, state: FileState): string => `p=${quote(task.path)}
if [ -L "$p" ] || { [ -e "$p" ] && [ ! -f "$p" ]; }; then echo "$p is not a plain file"; exit 1; fi
make_parents "$p"
keep_backup "$p"
c=${quote(candidate(task.path))}
[ ! -e "$c" ] && [ ! -L "$c" ] || rm -rf -- "$c"
${state.type === 'file' && state.sha256 === hash(task.content) ? `cp -- "$p" "$c"\n${rights(task)}` : written(task)}
${task.check ? `${task.check.replaceAll('{}', '"$c"')} || { rm -f -- "$c"; exit 1; }` : ''}
put_in_place "$c" "$p"`

/** The task with its content whole. */
const filled = ({ fill = {}, ...task }: FileTask): FileTask => {
  let { content } = task
  for (const [word, text] of Object.entries(fill)) {
    const words = [text].flat()
    // They go into any grammar: no more than an address or a name is one in all of them.
    const odd = words.find(it => !/^[\w.:/-]+$/.test(it))
    if (odd !== undefined) throw new TypeError(`${JSON.stringify(odd)} cannot stand in ${task.path}`)
    content = content.replaceAll(word, words.join(' '))
  }
  return { ...task, content }
}

/** Rights and hashes of all files at once; a pipe or a device is not read. */
const lookAhead = (paths: string[]): string => `set --
for p in ${paths.map(quote).join(' ')}; do
  if [ -f "$p" ] && [ ! -L "$p" ]; then set -- "$@" "$p"; fi
done
ke_stats= ke_sums=
if [ $# -gt 0 ]; then
  ke_stats=$(stat --printf '%F|%a|%U|%G|%n\\n' -- "$@" 2>/dev/null)
  ke_sums=$(sha256sum -- "$@" 2>/dev/null)
fi`

/** Goes by what was looked at ahead. A path with a line break or a backslash is never found: it is looked at itself. */
const ifSame = ({ path, content, owner, group, mode }: FileTask, then: string): string => {
  const stat = `regular ${content === '' ? 'empty ' : ''}file|${octal(mode)}|${owner}|${group}|${path}`
  const has = (lines: string, line: string) => `case "$ke_nl$${lines}$ke_nl" in *"$ke_nl"${quote(line)}"$ke_nl"*)`
  return `${has('ke_stats', stat)} ${has('ke_sums', `${hash(content)}  ${path}`)} ${then} ;; esac ;; esac`
}

const octal = (mode: string) => Number.parseInt(mode, 8).toString(8)

/** What a look at a file would have said that is as it should be. */
const asWanted = ({ content, owner, group, mode }: FileTask): FileState => {
  const bytes = Buffer.from(content)
  return {
    type: 'file',
    mode: octal(mode),
    owner,
    group,
    sha256: hash(bytes),
    content: bytes.length > maxContent ? null : bytes.toString('base64'),
  }
}

export const parseFile = (output: string, task?: Pick<Rights, 'owner' | 'group'>): FileState => {
  const { type = 'absent', content = null, ...said } = fields(output)
  const sha256 = content === null ? (said.sha256 ?? '') : hash(unbase64(content))
  return { type: type as FileState['type'], ...rightsOf(said, task), sha256, content }
}

/** What is at `path`, a word of sh, with two processes; the hash of what travels is made here. `hash`: without content. */
export const lookFile = (path: string, only?: 'hash'): string => `p=${path}
if [ -L "$p" ]; then echo type other
elif [ -f "$p" ]; then
  s=$(stat --printf 'type file\\nmode %a\\nowner %U %u\\ngroup %G %g\\nsize %s' -- "$p")
  printf '%s\\n' "$s"
  if [ "\${s##*size }" -gt ${only ? -1 : maxContent} ]; then h=$(sha256sum <"$p"); echo "sha256 \${h%% *}"
  elif b=$(base64 -w0 <"$p"); then echo "content $b"; fi
elif [ -e "$p" ]; then echo type other
else echo type absent; fi`

export const rights = ({ owner, group, mode }: Rights) => `chown -- ${quote(`${owner}:${group}`)} "$c"
chmod -- ${quote(mode)} "$c"`

/** Most files are lines of ASCII: these travel as they are, and one process makes the candidate. */
const written = ({ content, owner, group, mode }: FileTask): string =>
  /^[\t\n -~]*\n$/.test(content) && !/^KE_/m.test(content)
    ? `install -m ${quote(mode)} -o ${quote(owner)} -g ${quote(group)} -- /dev/stdin "$c" <<'KE_TEXT'\n${content}KE_TEXT`
    : `${writing(content, '"$c"')}\n${rights({ owner, group, mode })}`

/** Beside the target, so that the rename is atomic; hidden, so that programs that read whole directories skip it. */
export const candidate = (path: string) => `${dirname(path)}/.${basename(path)}.kapsule-egress.dpkg-new`

export const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

/** A plan asks, and then the run of it: a file of the distribution can be thousands of lines. */
const patchOf = ({ path, content }: FileTask, state: FileState, now: string): string => {
  const last = patches.get(state)
  if (last?.path === path && last.content === content) return last.text
  const text = patch(path, unbase64(now).toString(), content)
  patches.set(state, { path, content, text })
  return text
}

const patches = new WeakMap<FileState, { path: string; content: string; text: string }>()

export const patch = (path: string, now: string, wanted: string, context = 2): string =>
  texts().createTwoFilesPatch(path, path, now, wanted, 'on the host', 'wanted', { context }).replace(/^=+\n/, '')
