import { Problem } from '../../engine/problem.ts'
import { quote } from '../shell.ts'
import { type FileState, fileTask, lookFile, parseFile, sameFile } from './file.ts'
import { fields, type TaskKind } from './kind.ts'
import { type TimerTask, unitFile, unitsOf } from './timer-units.ts'

/** `systemd`: it boots this host. `running`, `enabled`: of the timer, not of what it starts. */
export type TimerState = {
  systemd: boolean
  service: FileState
  timer: FileState
  running: boolean
  enabled: boolean
}

const title = ({ name }: TimerTask) => `timer ${name}`
const split = 'KE and the timer'
const noSystemd = 'systemd is not what boots this host: use a cron task'

/** A job by a timer of systemd, in two units of its own in /etc/systemd/system. What runs already is let finish. */
export const timerTask: TaskKind<TimerTask, TimerState> = {
  title,
  look(task) {
    const { service, timer } = unitsOf(checked(task))
    const unit = quote(unitFile(task, 'timer'))
    return `if [ -d /run/systemd/system ]; then
  echo systemd yes
  if systemctl -q is-active ${unit}; then echo running yes; fi
  if systemctl -q is-enabled ${unit} 2>/dev/null; then echo enabled yes; fi
fi
${lookFile(quote(service.path))}
echo '${split}'
${lookFile(quote(timer.path))}`
  },
  parse(output) {
    const [first = '', second = ''] = output.split(`${split}\n`)
    const { systemd, running, enabled } = fields(first)
    return {
      systemd: systemd === 'yes',
      service: parseFile(first),
      timer: parseFile(second),
      running: running === 'yes',
      enabled: enabled === 'yes',
    }
  },
  diff(task, state) {
    if (!state.systemd) return { name: title(task), action: 'update', diff: noSystemd }
    const { service, timer } = unitsOf(checked(task))
    const lines = [fileTask.diff(service, state.service), fileTask.diff(timer, state.timer)].flatMap(
      it => it?.diff ?? [],
    )
    for (const it of ['running', 'enabled'] as const) if (!state[it]) lines.push(`${it}: no -> yes`)
    if (lines.length === 0) return null
    return { name: title(task), action: state.timer.type === 'absent' ? 'create' : 'update', diff: lines.join('\n') }
  },
  change(task, state) {
    const { service, timer } = unitsOf(checked(task))
    const unit = quote(unitFile(task, 'timer'))
    return `if [ ! -d /run/systemd/system ]; then echo ${quote(noSystemd)}; exit 1; fi
if command -v systemd-analyze >/dev/null; then systemd-analyze calendar -- ${quote(task.calendar)} >/dev/null; fi
${fileTask.change(service, state.service)}
${fileTask.change(timer, state.timer)}
systemctl daemon-reload
systemctl -q enable ${unit}
systemctl restart ${unit}`
  },
  // Its links are found by what the unit says, so they go while it is there.
  restore(task, before) {
    const { service, timer } = unitsOf(checked(task))
    const unit = quote(unitFile(task, 'timer'))
    const ask = (words: string) => `if [ -d /run/systemd/system ]; then ${words}; fi`
    const there = `[ ! -e ${quote(timer.path)} ] ||`
    return [
      ...(before.enabled ? [] : [ask(`${there} systemctl -q disable ${unit}`)]),
      ...(before.running ? [] : [ask(`${there} systemctl stop ${unit}`)]),
      fileTask.restore(service, before.service),
      fileTask.restore(timer, before.timer),
      ask('systemctl daemon-reload'),
      ...(before.enabled ? [ask(`systemctl -q enable ${unit}`)] : []),
      ...(before.running ? [ask(`systemctl restart ${unit}`)] : []),
    ].join('\n')
  },
  same: (before, now) =>
    sameFile(before.service, now.service) &&
    sameFile(before.timer, now.timer) &&
    before.running === now.running &&
    before.enabled === now.enabled,
}

const checked = (task: TimerTask): TimerTask => {
  const { name, calendar, run, user = 'root', spreadSeconds = 0 } = task
  const refuse = (what: string, rule: string) => {
    throw new Problem(`the timer ${JSON.stringify(name)} cannot be written`, {
      why: `${what}: ${rule}`,
      next: 'correct it where the task is written',
      exit: 2,
    })
  }
  if (!/^[\w-]{1,200}$/.test(name)) refuse('its name', 'letters, digits, - and _')
  if (!/^[\w*.,:/~+-]+( [\w*.,:/~+-]+)*$/.test(calendar))
    refuse(JSON.stringify(calendar), 'not a calendar expression of systemd.time(7)')
  if (!/^[a-z_][\w-]*$/.test(user)) refuse(JSON.stringify(user), 'not the name of a user')
  if (run.trim() === '' || /[\n\r\0]/.test(run)) refuse('its command', 'one line')
  if (!Number.isInteger(spreadSeconds) || spreadSeconds < 0) refuse('spreadSeconds', 'a whole number, not below 0')
  return task
}
