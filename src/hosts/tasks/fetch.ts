import { Problem } from '../../engine/problem.ts'
import { quote } from '../shell.ts'
import { rightsDiff } from './directory.ts'
import { candidate, type FileState, type FileTask, fileTask, lookFile, parseFile, rights, sameFile } from './file.ts'
import type { TaskKind } from './kind.ts'

/** The hash is not an option: without it nobody could say what is there, or that the right thing came. */
export type FetchTask = {
  task: 'fetch'
  url: string
  /** 64 hex digits. */
  sha256: string
  path: string
  mode: string
  owner: string
  group: string
  /** For the whole download. */
  seconds?: number
  /** More than that is not taken in, so that what comes cannot fill the disk. */
  maxBytes?: number
  notify?: string[]
}

const title = ({ path }: FetchTask) => `fetch ${path}`

/** A file the host downloads itself, with curl or wget, and puts in place only when it has this hash. */
export const fetchTask: TaskKind<FetchTask, FileState> = {
  title,
  look: ({ path }) => lookFile(quote(path), 'hash'),
  parse: parseFile,
  diff(task, state) {
    const name = title(task)
    const { url, sha256 } = checked(task)
    const lines: string[] = []
    if (state.type === 'absent') return { name, action: 'create', diff: `sha256: none -> ${sha256}\nfrom: ${url}` }
    if (state.type === 'other')
      return { name, action: 'update', diff: 'a link or something else is in its place: move it away' }
    if (state.sha256 !== sha256) lines.push(`sha256: ${state.sha256} -> ${sha256}`, `from: ${url}`)
    lines.push(...rightsDiff(task, state))
    return lines.length ? { name, action: 'update', diff: lines.join('\n') } : null
  },
  change: (task, state) => `p=${quote(task.path)} c=${quote(candidate(task.path))}
if [ -L "$p" ] || { [ -e "$p" ] && [ ! -f "$p" ]; }; then echo "$p is not a plain file"; exit 1; fi
make_parents "$p"
keep_backup "$p"
rm -rf -- "$c"
${state.type === 'file' && state.sha256 === task.sha256 ? 'cp -- "$p" "$c"' : download(checked(task))}
${rights(task)}
put_in_place "$c" "$p"`,
  restore: (task, before) => fileTask.restore(asFile(task), before),
  same: sameFile,
}

const asFile = ({ path, mode, owner, group }: FetchTask): FileTask => ({
  task: 'file',
  path,
  content: '',
  mode,
  owner,
  group,
})

// `ulimit -f` counts blocks of 512 bytes. @see sh(1)
const download = ({ url, sha256, seconds = 300, maxBytes }: FetchTask) => `url=${quote(url)}
get_it() {
  ${maxBytes === undefined ? '' : `ulimit -f ${Math.ceil(maxBytes / 512)}; `}if command -v curl >/dev/null; then
    curl -fsSL --proto =${url.startsWith('https:') ? 'https' : 'http,https'} --retry 2 --connect-timeout 20 --max-time ${seconds}${maxBytes === undefined ? '' : ` --max-filesize ${maxBytes}`} -o "$c" -- "$url"
  elif command -v wget >/dev/null; then timeout ${seconds} wget -q -T 20 -t 3 -O "$c" -- "$url"
  else echo 'neither curl nor wget is on this host'; return 1; fi
}
rc=0
( get_it ) || rc=$?
if [ $rc != 0 ]; then
  case $rc in ${maxBytes === undefined ? '' : `63 | 153) echo ${quote(`it is over ${maxBytes} bytes`)} ;; `}*) echo "the download ended with $rc" ;; esac
  rm -f -- "$c"
  exit 1
fi
got=$(sha256sum <"$c" | cut -c1-64)
if [ "$got" != ${sha256} ]; then echo "what came has the hash $got"; rm -f -- "$c"; exit 1; fi`

const checked = (task: FetchTask): FetchTask => {
  const refuse = (why: string) => {
    throw new Problem(`fetch ${task.path} cannot be done`, {
      why,
      next: 'correct it where the task is written',
      exit: 2,
    })
  }
  if (!/^[0-9a-f]{64}$/.test(task.sha256)) refuse('sha256 has to be 64 hex digits')
  const url = URL.parse(task.url)
  if (!url || !/^https?:$/.test(url.protocol)) refuse('its address has to begin with https:// or http://')
  if (task.maxBytes !== undefined && !(Number.isInteger(task.maxBytes) && task.maxBytes > 0))
    refuse('maxBytes has to be a whole number above 0')
  // A command line is seen by everybody on the host.
  if (url?.username || url?.password) refuse('its address holds a password, which everybody on the host could read')
  return task
}
