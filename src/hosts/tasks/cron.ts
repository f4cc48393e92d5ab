import { Problem } from '../../engine/problem.ts'
import { quote } from '../shell.ts'
import { type FileState, type FileTask, fileTask, lookFile, parseFile, sameFile } from './file.ts'
import type { TaskKind } from './kind.ts'

/** `schedule`: five fields, or a word such as `@daily` or `@reboot`. `run`: one line of sh. */
export type CronTask = { task: 'cron'; name: string; schedule: string; run: string; user?: string }

const title = ({ name }: CronTask) => `cron ${name}`

/** A job in a file of its own in /etc/cron.d. The daemon is a package like any other: change fails where it is not. */
export const cronTask: TaskKind<CronTask, FileState> = {
  title,
  look: task => lookFile(quote(fileOf(task).path)),
  parse: output => parseFile(output),
  diff(task, state) {
    const detail = fileTask.diff(fileOf(task), state)
    return detail && { ...detail, name: title(task) }
  },
  change: (task, state) => `if ! command -v cron >/dev/null && ! command -v crond >/dev/null; then
  echo 'there is no cron on this host: let a package task before this one install it'; exit 1
fi
${fileTask.change(fileOf(task), state)}`,
  restore: (task, before) => fileTask.restore(fileOf(task), before),
  same: sameFile,
}

const fileOf = ({ name, schedule, run, user = 'root' }: CronTask): FileTask => {
  const refuse = (what: string, rule: string) => {
    throw new Problem(`the cron job ${JSON.stringify(name)} cannot be written`, {
      why: `${what}: ${rule}`,
      next: 'correct it where the task is written',
      exit: 2,
    })
  }
  // cron skips files with other characters in their names, without a word.
  if (!/^[\w-]+$/.test(name)) refuse('its name', 'letters, digits, - and _')
  if (!/^(@(reboot|hourly|daily|weekly|monthly|yearly)|[\d*,/A-Za-z-]+( [\d*,/A-Za-z-]+){4})$/.test(schedule))
    refuse(JSON.stringify(schedule), 'five fields with one blank between them, or @daily and the like')
  const never = schedule.startsWith('@') ? undefined : fields.find(([, it], n) => !it(schedule.split(' ')[n]!))
  if (never) refuse(JSON.stringify(schedule), `its ${never[0]} is none`)
  if (run.trim() === '') refuse('its command', 'there is none')
  if (!/^[a-z_][\w-]*$/.test(user)) refuse(JSON.stringify(user), 'not the name of a user')
  if (/[\n\r\0]/.test(run)) refuse('its command', 'one line')
  return {
    task: 'file',
    path: `/etc/cron.d/kapsule-egress-${name}`,
    // cron turns a bare % into a line break.
    content: `# kapsule-egress: ${name}
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
${schedule} ${user} ${run.replaceAll('%', '\\%')}
`,
    mode: '0644',
    owner: 'root',
    group: 'root',
  }
}

type Field = [string, (text: string) => boolean]

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const days = 'sun mon tue wed thu fri sat'.split(' ')

/** A list of numbers, names and ranges between two bounds, or *, each with a step or without. @see crontab(5) */
const within =
  (low: number, high: number, names: string[] = []) =>
  (text: string): boolean =>
    text.split(',').every(part => {
      const [range = '', step, ...more] = part.split('/')
      if (more.length || (step !== undefined && !/^0*[1-9]\d*$/.test(step))) return false
      if (range === '*') return true
      const ends = range.split('-').map(it => {
        const named = names.indexOf(it.toLowerCase())
        return named >= 0 ? named + low : /^\d+$/.test(it) ? Number(it) : Number.NaN
      })
      return ends.length <= 2 && ends.every(it => it >= low && it <= high) && ends[0]! <= (ends[1] ?? high)
    })

const fields: Field[] = [
  ['minute', within(0, 59)],
  ['hour', within(0, 23)],
  ['day of the month', within(1, 31)],
  ['month', within(1, 12, months)],
  ['day of the week', within(0, 7, days)],
]
