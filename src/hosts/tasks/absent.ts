import { quote } from '../shell.ts'
import { type FileState, type FileTask, fileTask, lookFile, sameFile } from './file.ts'
import type { TaskKind } from './kind.ts'
import { type SymlinkState, type SymlinkTask, sameLink, symlinkTask } from './symlink.ts'

export type AbsentTask = { task: 'absent'; path: string; notify?: string[] }
export type AbsentState = { file: FileState; link: SymlinkState }

const title = ({ path }: AbsentTask) => `no ${path}`
const asFile = ({ path }: AbsentTask): FileTask => ({ task: 'file', path, content: '', mode: '', owner: '', group: '' })
const asLink = ({ path }: AbsentTask): SymlinkTask => ({ task: 'symlink', path, to: '' })
const split = 'KE and the link'

/** No file and no link has this name. A directory is left and reported: what is in it may be somebody's. */
export const absentTask: TaskKind<AbsentTask, AbsentState> = {
  title,
  look: task => `${lookFile(quote(asFile(task).path))}\necho '${split}'\n${symlinkTask.look(asLink(task))}`,
  parse(output) {
    const [file = '', link = ''] = output.split(split)
    return { file: fileTask.parse(file), link: symlinkTask.parse(link) }
  },
  diff(task, { file, link }) {
    if (file.type === 'absent') return null
    const what =
      link.type === 'link' ? 'a link' : file.type === 'file' ? 'a file' : 'neither a file nor a link: remove it by hand'
    return { name: title(task), action: 'delete', diff: `is there: ${what}` }
  },
  change: ({ path }) => `p=${quote(path)}
if [ ! -L "$p" ] && [ -e "$p" ] && [ ! -f "$p" ]; then echo "$p is neither a file nor a link"; exit 1; fi
[ -L "$p" ] || keep_backup "$p"
rm -f -- "$p"`,
  restore(task, { file, link }) {
    if (link.type === 'link') return symlinkTask.restore(asLink(task), link)
    return file.type === 'file' ? fileTask.restore(asFile(task), file) : ':'
  },
  same: (before, now) => sameFile(before.file, now.file) && sameLink(before.link, now.link),
}
