import { isUtf8 } from 'node:buffer'
import { Problem } from '../../engine/problem.ts'
import { quote, unbase64, writing } from '../shell.ts'
import { candidate, type FileState, hash, lookFile, parseFile, patch, sameFile } from './file.ts'
import type { TaskKind } from './kind.ts'

/** Plain text, never a pattern language: the same here and in every shell. */
export type Match = { is: string } | { starts: string } | { has: string }

/** Every line that matches (and with `until` all to that line) gives way to `put`, once; without any it is appended. */
export type Edit = { matches: Match[]; until?: string; put: string[] }

const linesOf = (text: string): string[] => (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')

const fits = (line: string, match: Match): boolean => {
  if ('is' in match) return line === match.is
  return 'starts' in match ? line.startsWith(match.starts) : line.includes(match.has)
}

/** The text after the edit and what gave way, piece by piece; null: a piece has no end, which only a person can mend. */
export const edited = (text: string, { matches, until, put }: Edit): { text: string; gone: string[][] } | null => {
  const out: string[] = []
  const gone: string[][] = []
  let inside = false
  for (const line of text === '' ? [] : linesOf(text)) {
    if (inside) {
      gone.at(-1)!.push(line)
      inside = line !== until
    } else if (matches.some(it => fits(line, it))) {
      if (gone.length === 0) out.push(...put)
      gone.push([line])
      inside = until !== undefined
    } else out.push(line)
  }
  if (inside) return null
  if (gone.length === 0) out.push(...put)
  return { text: out.map(it => `${it}\n`).join(''), gone }
}

/** The edit that takes this one back where others have edited the file too. */
export const inverse = (edit: Edit, before: string): Edit => {
  const gone = edited(before, edit)?.gone.flat() ?? []
  const [first] = edit.put
  if (edit.until !== undefined) return { ...edit, put: gone }
  return { matches: first === undefined ? [] : [{ is: first }], put: gone }
}

/** The same edit in sh, with nothing but its builtins: from the file $p to the file $c. */
export const editing = (edit: Edit): string => {
  const { matches, until, put } = edit
  // What is put back may end in a carriage return: the file had it.
  for (const it of textsOf(edit)) if (/[\n\0]/.test(it)) throw broken(it)
  const patterns = matches.map(it => {
    if ('is' in it) return quote(it.is)
    return 'starts' in it ? `${quote(it.starts)}*` : `*${quote(it.has)}*`
  })
  const keep = `printf '%s\\n' "$l"`
  return `put_lines() { ${put.map(it => `printf '%s\\n' ${quote(it)}`).join('; ') || ':'}; }
placed=no inside=no
while IFS= read -r l || [ -n "$l" ]; do
  if [ $inside = yes ]; then
    if [ "$l" = ${quote(until ?? '')} ]; then inside=no; fi
    continue
  fi
  case $l in${
    patterns.length
      ? `
    ${patterns.join(' | ')}) [ $placed = yes ] || put_lines; placed=yes; inside=${until === undefined ? 'no' : 'yes'} ;;`
      : ''
  }
    *) ${keep} ;;
  esac
done <"$p" >"$c"
if [ $inside = yes ]; then echo "in $p a block has no end"; rm -f -- "$c"; exit 1; fi
[ $placed = yes ] || put_lines >>"$c"`
}

const textsOf = ({ matches, until, put }: Edit): string[] => [
  ...put,
  ...matches.flatMap(it => Object.values(it)),
  ...(until === undefined ? [] : [until]),
]

const broken = (text: string, why = 'holds more than one line, or a NUL byte') =>
  new Problem('a line of a file cannot be written', {
    why: `${JSON.stringify(text.slice(0, 80))} ${why}`,
    next: 'write a line without breaks, or use a block',
    exit: 2,
  })

/** What could not be found again as it was written, before anything is sent. */
const refuseOdd = (edit: Edit) => {
  for (const it of textsOf(edit)) if (/[\n\r\0]/.test(it)) throw broken(it)
  const { until, put } = edit
  if (until !== undefined && put.slice(0, -1).includes(until))
    throw broken(until, 'ends the block before its last line')
}

/** The text of a file that was looked at, or why it cannot be edited. */
export const textOf = ({ type, content }: FileState): { text: string } | { why: string } => {
  if (type === 'absent') return { text: '' }
  if (type === 'other') return { why: 'a link or something else is in its place: move it away' }
  if (content === null) return { why: 'it is over 1 MB' }
  const bytes = unbase64(content)
  if (!isUtf8(bytes) || bytes.includes(0)) return { why: 'it is not text in UTF-8' }
  return { text: bytes.toString() }
}

/** What the edit changes, as a patch without the lines around it: the rest is not ours to show. */
export const editDiff = (path: string, edit: Edit, state: FileState): string | null => {
  const was = textOf(state)
  if ('why' in was) return `not edited: ${was.why}`
  const after = edited(was.text, edit)
  if (!after) return 'not edited: a block in it has a beginning and no end'
  return after.text === was.text || after.text === `${was.text}\n` ? null : patch(path, was.text, after.text, 0)
}

/** Prepares $c beside $p for an edit, with the rights of $p; then the edit, and the check. */
export const editInPlace = (
  edit: Edit,
  check?: string,
): string => `if [ -L "$p" ] || { [ -e "$p" ] && [ ! -f "$p" ]; }; then echo "$p is not a plain file"; exit 1; fi
keep_backup "$p"
rm -rf -- "$c"
if [ -e "$p" ]; then cp -p -- "$p" "$c"; p_or_none=$p; else : >"$c"; p_or_none=/dev/null; fi
(
p=$p_or_none
${editing(edit)}
)
${check ? `${check.replaceAll('{}', '"$c"')} || { rm -f -- "$c"; exit 1; }\n` : ''}put_in_place "$c" "$p"`

/** Gives $p back as it was seen, or, where others have edited it since, takes back our lines alone. */
export const editBack = (edit: Edit, before: FileState): string => {
  const was = textOf(before)
  const made = 'text' in was ? edited(was.text, edit) : null
  if (!made || !('text' in was)) return ':'
  const back =
    before.type === 'absent'
      ? 'rm -f -- "$p"\ndrop_parents "$p"'
      : `rm -rf -- "$c"\ncp -p -- "$p" "$c"\n${writing(was.text, '"$c"')}\nput_in_place "$c" "$p"`
  return `rm -rf -- "$c"
if [ -f "$p" ] && [ ! -L "$p" ]; then
  case $(sha256sum <"$p" | cut -c1-64) in
    ${before.sha256 || 'none'}) ;;
    ${hash(made.text)}) keep_backup "$p"
${back} ;;
    *)
${editInPlace(inverse(edit, was.text))} ;;
  esac
fi`
}

type Edited = { path: string; check?: string; notify?: string[] }

/** A task kind that edits a file which others edit too. Undo gives back the bytes, or takes back our lines alone. */
export const editKind = <Task extends Edited>(
  title: (task: Task) => string,
  editOf: (task: Task) => Edit,
): TaskKind<Task, FileState> => ({
  title,
  look(task) {
    refuseOdd(editOf(task))
    return lookFile(quote(task.path))
  },
  parse: output => parseFile(output),
  diff(task, state) {
    const diff = editDiff(task.path, editOf(task), state)
    return diff === null ? null : { name: title(task), action: state.type === 'absent' ? 'create' : 'update', diff }
  },
  change(task, state) {
    const was = textOf(state)
    if ('why' in was) return `echo ${quote(`${task.path}: ${was.why}`)}; exit 1`
    return `p=${quote(task.path)} c=${quote(candidate(task.path))}
make_parents "$p"
${editInPlace(editOf(task), task.check)}`
  },
  restore: (task, before) =>
    `p=${quote(task.path)} c=${quote(candidate(task.path))}\n${editBack(editOf(task), before)}`,
  same: sameFile,
})
