import { Problem } from '../../engine/problem.ts'
import { cutsOff } from '../guard/kernel.ts'
import { quote, unbase64 } from '../shell.ts'
import { type FileState, type FileTask, fileTask, lookFile, sameFile } from './file.ts'
import type { TaskKind } from './kind.ts'

export type SysctlTask = {
  task: 'sysctl'
  name: string
  value: string
  /** How long the host waits for a new login, where the setting could cut us off. */
  confirmSeconds?: number
}
/** `live`: what the kernel has, null where it has no such setting. `file`: ours, which sets it after a boot. */
export type SysctlState = { live: string | null; file: FileState }

const title = ({ name }: SysctlTask) => `sysctl ${name}`

/** A kernel setting, now and after a boot. Our file sorts after those of the system: of two, the last read wins. */
export const sysctlTask: TaskKind<SysctlTask, SysctlState> = {
  title,
  look: task => `if v=$(cat ${quote(procPath(task))} 2>/dev/null); then echo "live $(printf %s "$v" | base64 -w0)"; fi
${lookFile(quote(fileOf(task).path))}`,
  parse(output) {
    const live = /^live (.*)$/m.exec(output)
    return { live: live ? words(unbase64(live[1]!).toString()) : null, file: fileTask.parse(output) }
  },
  diff(task, { live, file }) {
    const lines: string[] = []
    if (live === null) lines.push('the kernel has no such setting (now)')
    else if (meant(live) !== meant(task.value)) lines.push(`now: ${live} -> ${words(task.value)}`)
    const after = fileTask.diff(fileOf(task), file)
    if (after) lines.push(`after a boot: ${fileOf(task).path} ${after.action === 'create' ? 'is missing' : 'differs'}`)
    return lines.length
      ? { name: title(task), action: file.type === 'absent' ? 'create' : 'update', diff: lines.join('\n') }
      : null
  },
  // The kernel first: what it refuses is not left for the next boot.
  change: (task, { file }) => `${set(task, words(task.value))}
${holds(task)}
${fileTask.diff(fileOf(task), file) ? fileTask.change(fileOf(task), file) : ':'}`,
  restore: (task, { live, file }) => `${live === null ? ':' : set(task, live)}
${fileTask.restore(fileOf(task), file)}`,
  same: (before, now) => before.live === now.live && sameFile(before.file, now.file),
  // At a boot the kernel begins with its own values, and reads the file after it was put back.
  guard: task =>
    !cutsOff(task.name)
      ? null
      : {
          seconds: task.confirmSeconds ?? 30,
          keep: [fileOf(task).path],
          save: `cat ${quote(procPath(task))} >value 2>/dev/null || :`,
          back: `[ ! -s value ] || cat value >${quote(procPath(task))}`,
        },
}

const words = (text: string) => text.trim().split(/\s+/).join(' ')

/** The kernel takes 0x1f and 037 for 31, and says 31. */
const meant = (text: string): string =>
  words(text).replace(/(?<=^| )(-?)(0x[0-9a-f]+|0[0-7]+)(?= |$)/gi, (_, sign: string, it: string) => {
    const number = BigInt(/^0x/i.test(it) ? it : `0o${it.slice(1)}`)
    return `${number === 0n ? '' : sign}${number}`
  })

/** What it makes of a value, or does not say at all, would be changed again by every run. */
const holds = (
  task: SysctlTask,
) => `v=$(cat "$p" 2>/dev/null) || { echo ${quote(`${task.name} cannot be read back, so nobody can say whether it holds: use a command`)}; exit 1; }
set -f; set -- $v; set +f
case " $* " in ${[...new Set([words(task.value), meant(task.value)])].map(it => quote(` ${it} `)).join(' | ')}) ;;
*) echo ${quote(`the kernel was told ${words(task.value)} and makes something else of it:`)} "$*"; exit 1 ;; esac`

const set = (task: SysctlTask, value: string) => `p=${quote(procPath(task))}
if [ ! -e "$p" ]; then echo "the kernel has no $p: is its module loaded?"; exit 1; fi
printf '%s\\n' ${quote(value)} >"$p" || { echo ${quote(`the kernel refuses ${value} for ${task.name}`)}; exit 1; }`

/** In a name dots part the words; a dot inside a word (an interface eth0.7) is written as a slash. @see sysctl(8) */
const procPath = ({ name, value }: SysctlTask): string => {
  if (!/^[\w-]+([./][\w-]+)+$/.test(name)) throw badName(name)
  if (value.trim() === '' || /[\n\r\0]/.test(value)) throw badValue(name, value)
  // With a slash first, slashes part the words.
  if (/^[\w-]+\//.test(name)) return `/proc/sys/${name}`
  return `/proc/sys/${name.replace(/[./]/g, it => (it === '.' ? '/' : '.'))}`
}

const fileOf = ({ name, value }: SysctlTask): FileTask => ({
  task: 'file',
  path: `/etc/sysctl.d/99-zz-kapsule-egress-${name.replaceAll('/', '%')}.conf`,
  content: `${name} = ${words(value)}\n`,
  mode: '0644',
  owner: 'root',
  group: 'root',
})

const badValue = (name: string, value: string) =>
  new Problem(`${JSON.stringify(value.slice(0, 80))} cannot be the value of ${name}`, {
    why: 'it is one line with something in it',
    next: 'correct it where the task is written',
    exit: 2,
  })

const badName = (name: string) =>
  new Problem(`${JSON.stringify(name)} cannot be the name of a kernel setting`, {
    why: 'it is words with dots between them, as in net.ipv4.ip_forward',
    next: 'correct it where the task is written',
    exit: 2,
  })
