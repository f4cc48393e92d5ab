import type { FileTask } from './file.ts'

/** `calendar`: as in systemd.time(7), `Mon..Fri 03:30` or `daily`. `run`: one line of sh. */
export type TimerTask = {
  task: 'timer'
  name: string
  calendar: string
  run: string
  user?: string
  /** Once after a boot, when the time was while the host was off. */
  catchUp?: boolean
  /** Hosts with the same words begin at random within so many seconds. */
  spreadSeconds?: number
}

export const unitFile = ({ name }: Pick<TimerTask, 'name'>, type: 'service' | 'timer') =>
  `kapsule-egress-${name}.${type}`

/** The units of a timer, as files. */
export const unitsOf = (task: TimerTask): { service: FileTask; timer: FileTask } => {
  const { name, calendar, run, user = 'root', catchUp = false, spreadSeconds = 0 } = task
  const file = (type: 'service' | 'timer', lines: string[]): FileTask => ({
    task: 'file',
    path: `/etc/systemd/system/${unitFile(task, type)}`,
    content: `[Unit]\nDescription=kapsule-egress: ${name}\n\n${lines.join('\n')}\n`,
    mode: '0644',
    owner: 'root',
    group: 'root',
  })
  return {
    service: file('service', ['[Service]', 'Type=oneshot', `User=${user}`, `ExecStart=/bin/sh -c ${argument(run)}`]),
    timer: file('timer', [
      '[Timer]',
      `OnCalendar=${calendar}`,
      ...(catchUp ? ['Persistent=true'] : []),
      ...(spreadSeconds ? [`RandomizedDelaySec=${spreadSeconds}`] : []),
      '',
      '[Install]',
      'WantedBy=timers.target',
    ]),
  }
}

/** One argument: systemd undoes C's escapes, then replaces specifiers, then variables. @see systemd.service(5), COMMAND LINES */
export const argument = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\t', '\\t').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
