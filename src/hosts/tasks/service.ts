import { guardService, isGuarded } from '../guard/services.ts'
import { refuseTaken, untilHeard } from '../listeners.ts'
import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

export type ServiceTask = {
  task: 'service'
  name: string
  running: boolean
  enabled: boolean
  /** TCP ports that it listens on: nobody else may have them when it starts, and it is up when all are open. */
  listens?: number[]
  /** Shell that starts it where systemd is not what boots, in place of an init script that takes its time. */
  startWith?: string
  /** How long the host waits for a new login, where the service is one by which we come in. */
  confirmSeconds?: number
}
export type ServiceState = { running: boolean; enabled: boolean }

const title = ({ name }: ServiceTask) => `service ${name}`

// What an init script's own status goes by, without its dozen processes; no answer leaves the question to the script.
const itsPidLives = (name: string) =>
  `read -r it 2>/dev/null </run/${name}.pid && read -r it 2>/dev/null <"/proc/\${it:-none}/comm" && [ "$it" = ${name} ]`

const isRunning = (name: string) =>
  `if [ -d /run/systemd/system ]; then systemctl -q is-active ${name}; else { ${itsPidLives(name)}; } || service ${name} status >/dev/null 2>&1; fi`

const isEnabled = (name: string) =>
  `if [ -d /run/systemd/system ]; then systemctl -q is-enabled ${name} 2>/dev/null; else for it in /etc/rc2.d/S[0-9][0-9]${name}; do :; done; [ -e "$it" ] || [ -L "$it" ]; fi`

/** A service runs (or not) now and after a boot, with systemd or with the init scripts behind `service`. */
export const serviceTask: TaskKind<ServiceTask, ServiceState> = {
  title,
  plain: true,
  look: ({ name }) => `if ${isRunning(quote(name))}; then echo running yes; else echo running no; fi
if ${isEnabled(quote(name))}; then echo enabled yes; else echo enabled no; fi`,
  parse(output) {
    const { running, enabled } = fields(output)
    return { running: running === 'yes', enabled: enabled === 'yes' }
  },
  diff(task, state) {
    const lines = (['running', 'enabled'] as const)
      .filter(it => task[it] !== state[it])
      .map(it => `${it}: ${word(state[it])} -> ${word(task[it])}`)
    return lines.length ? { name: title(task), action: 'update', diff: lines.join('\n') } : null
  },
  // A handler that reloads it has nothing to do, unless something it follows changes after this.
  change: task => bring(task.name, task, `echo ${quote(`${task.name} started`)} >>"$KE_SURE"`, task),
  // Handlers start what should run; one that is stopped on purpose is written down for them to leave alone.
  restore: ({ name }, before) =>
    `${before.running ? '' : `echo ${quote(name)} >>"$KE_STOPPED"\n`}${bring(name, before)}`,
  same: (before, now) => before.running === now.running && before.enabled === now.enabled,
  live: true,
  guard: ({ name, confirmSeconds }) => {
    const word = quote(name)
    const asked = { isRunning: isRunning(word), isEnabled: isEnabled(word) }
    return guardService(name, { ...asked, bring: it => bring(name, it) }, confirmSeconds)
  },
}

const word = (it: boolean) => (it ? 'yes' : 'no')

/** An image may come without any links for a service; enable and disable only turn links round. */
const sysv = (name: string, update: string) => `update-rc.d ${name} defaults && update-rc.d ${name} ${update}`

/**
 * What a killed daemon left behind keeps its port, so that no new one stays up: init's children of that name whose
 * session leader is gone. systemd knows them by their cgroup. Not of services that are guarded: a tunnel is an orphan
 * called ssh, too.
 */
const endOrphans = (name: string) => `for it in /proc/[0-9]*/stat; do
    { read -r it <"$it"; } 2>/dev/null || continue
    case $it in *" ("${quote(name.slice(0, 15))}") "*) ;; *) continue ;; esac
    pid=\${it%% *}
    set -- \${it##*) }
    if [ "$2" != 1 ] || [ "$4" = 0 ] || [ -e "/proc/$4" ]; then continue; fi
    kill -s KILL "$pid" 2>/dev/null || continue
    n=0; while [ -e "/proc/$pid" ] && [ $n -lt 250 ]; do n=$((n + 1)); sleep 0.02; done
  done
  `

/** A drop-in that came before in this run: the handler that has systemd read it comes after the start. */
const unitAsOnDisk = (name: string) =>
  `if [ "$(systemctl show -p NeedDaemonReload --value ${name})" = yes ]; then systemctl daemon-reload; fi`

const bring = (
  service: string,
  { running, enabled }: ServiceState,
  before = '',
  { listens: ports = [], startWith }: Partial<ServiceTask> = {},
): string => {
  const name = quote(service)
  const [verb, update, not] = [running ? 'start' : 'stop', enabled ? 'enable' : 'disable', running ? '!' : '']
  const ahead = [
    ...(running && !isGuarded(service) ? [`if [ ! -d /run/systemd/system ]; then\n  ${endOrphans(service)}fi`] : []),
    ...(running && ports.length ? [refuseTaken(service, ports.join(' '))] : []),
    running ? before : '',
  ].join('\n')
  return `if ${enabled ? '!' : ''} { ${isEnabled(name)}; }; then
  if [ -d /run/systemd/system ]; then systemctl -q ${update} ${name}; else ${sysv(name, update)}; fi
fi
if ${not} { ${isRunning(name)}; }; then
  ${ahead}
  if [ -d /run/systemd/system ]; then${running ? `\n    ${unitAsOnDisk(name)}` : ''}
    systemctl ${verb} ${name}
  else ${(running && startWith) || `service ${name} ${verb}`}; fi
  n=0
  while ${not} { ${isRunning(name)}; }; do
    n=$((n + 1)); [ $n -le 500 ] || { echo ${quote(`${service} did not ${verb}`)}; exit 1; }
    sleep 0.02
  done
  ${running ? ports.map(it => untilHeard(it, 10, `${service} was started, and does not listen on port ${it}`)).join('\n') : ''}
fi`
}
