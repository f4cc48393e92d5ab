import { Problem } from '../../engine/problem.ts'
import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'
import { leavingBy } from './package-leaving.ts'
import { lookAhead, type Manager, managers, nameHere } from './package-managers.ts'

export type PackageTask = {
  task: 'package'
  name: string
  /** Another package that will do where it is installed already. */
  or?: string
  /** The package that leaves for this one. A service of that name runs on until it is restarted: said in the plan. */
  insteadOf?: string
  /** Other names, by ID or ID_LIKE of os-release (`rocky`, `rhel`, `suse`) or by manager (`dnf`). */
  names?: Record<string, string>
  /** Exactly this version, or with a `*` at its end any that begins so. Of an rpm: version-release. */
  version?: string
  /** Kept from (true) or open to (false) upgrades by others; absent: as it is. */
  hold?: boolean
  /** false: removed, unless another package needs it: then that is an error. */
  present?: boolean
  /** How long another process may keep the manager's lock. */
  lockSeconds?: number
  /** Undo removes what was installed; by default it stays, since others may use it by then. Files of its own stay. */
  undo?: 'remove'
}
export type PackageState = {
  manager: Manager | 'none'
  /** As it is called there. */
  name: string
  installed: boolean
  version: string | null
  held: boolean
  /** What `or` or `insteadOf` names, where it is installed. */
  other?: string
}

const title = ({ name }: PackageTask) => `package ${name}`

/** A package of the distribution is installed, or not, by its own manager: apt, dnf or zypper. */
export const packageTask: TaskKind<PackageTask, PackageState> = {
  title,
  ahead: tasks => lookAhead(tasks.filter(it => !it.names).flatMap(it => [checked(it).name, ...othersOf(it)])),
  plain: true,
  look(task) {
    const { name, names, hold, version } = checked(task)
    // A version moves a held package, too, which has to be let go of first.
    const asked = hold !== undefined || version !== undefined
    const arms = Object.entries(managers).map(
      ([it, { look, lookHold }]) => `${it}) ${look}\n${asked ? lookHold : ':'} ;;`,
    )
    return `${nameHere(name, names)}\necho "manager $m"; echo "name $n"\ncase $m in\n${arms.join('\n')}\nesac${othersOf(task).map(lookOther).join('')}`
  },
  parse(output) {
    const { manager = 'none', name = '', want, status, version, other } = fields(output)
    const installed = status === 'installed'
    return {
      manager: manager as PackageState['manager'],
      name,
      installed,
      version: installed ? (version ?? null) : null,
      held: want === 'hold' || isLocked(output, name),
      ...(other && { other }),
    }
  },
  diff(task, state) {
    const name = title(task)
    const { version, hold = state.held, present = true } = task
    if (state.manager === 'none') return { name, action: 'update', diff: noManager }
    if (!present) return state.installed ? { name, action: 'delete', diff: `${state.version} -> removed` } : null
    if (!state.installed && task.or && state.other === task.or) return null
    const lines: string[] = []
    const leaves = task.insteadOf && state.other === task.insteadOf ? `, and ${leaving(task.insteadOf)}` : ''
    if (!state.installed) lines.push(`not installed -> installed${version === undefined ? '' : ` ${version}`}${leaves}`)
    else if (!fits(state.version, version)) lines.push(`version: ${state.version} -> ${version}`)
    if (hold !== state.held) lines.push(`held: ${word(state.held)} -> ${word(hold)}`)
    return lines.length ? { name, action: state.installed ? 'update' : 'create', diff: lines.join('\n') } : null
  },
  change(task, { manager, name, installed, version, held, other }) {
    if (manager === 'none') return `echo ${quote(noManager)}; exit 1`
    const { hold = held, present = true, lockSeconds = 120 } = task
    const install = present && !(installed && fits(version, task.version))
    return [
      begin(manager, name, lockSeconds),
      ...(held && (install || !hold || !present) ? ['unhold_it'] : []),
      ...(present ? [] : ['remove_it']),
      ...(install
        ? inItsPlace(
            `install_it ${quote(managers[manager].spec(name, task.version))}`,
            other === task.insteadOf && other,
          )
        : []),
      ...(present && hold && (install || !held) ? ['hold_it'] : []),
      end,
    ].join('\n')
  },
  restore(task, before) {
    const { manager, name, installed, version, held } = before
    if (manager === 'none') return ':'
    const spec = quote(managers[manager].spec(name, version ?? undefined))
    const now = `$({ ${managers[manager].look}; } | sed -n 's/^version //p')`
    // A newer version that came by itself is not taken back: only what this task has pinned or removed.
    const bringBack = installed && (task.version !== undefined || task.present === false)
    const unhold = task.hold || held ? 'unhold_it; ' : ''
    const lines = [
      ...(bringBack ? [`if [ "${now}" != ${quote(version ?? '')} ]; then ${unhold}install_it ${spec}; fi`] : []),
      ...(!installed && task.undo === 'remove' ? [`if ${isInstalled(manager)}; then ${unhold}remove_it; fi`] : []),
      ...(task.hold === undefined && !(bringBack && held)
        ? []
        : [`if ${isInstalled(manager)}; then ${held ? 'hold_it' : 'unhold_it'}; fi`]),
    ]
    return lines.length ? [begin(manager, name, task.lockSeconds ?? 120), ...lines, end].join('\n') : ':'
  },
  same(before, now, task) {
    if (!before.installed) return !now.installed || task.undo !== 'remove'
    if (!now.installed) return task.present !== false
    const version = task.version === undefined || before.version === now.version
    return version && (task.hold === undefined || before.held === now.held)
  },
}

/** It serves on from memory while its files are changed. */
const leaving = (name: string) => `${name} leaves for it: its service restarts, what is open ends`

/**
 * Packages stop their service when they go and start it when they come, some ten seconds apart. Told not to, by what
 * forgets it after ten minutes whatever becomes of us, there is one restart at the end.
 */
const inItsPlace = (install: string, service: string | false | undefined): string[] =>
  service
    ? [
        'quiet=/usr/sbin/policy-rc.d',
        'if [ -e "$quiet" ]; then quiet=; else',
        `  printf '#!/bin/sh\\n[ "$(date +%%s)" -gt %s ] || exit 101\\n' $(($(date +%s) + 600)) >"$quiet"`,
        '  chmod 755 "$quiet"',
        `  trap 'rm -f -- "$quiet"' EXIT`,
        'fi',
        // An empty directory goes with the package that leaves, and comes anew with rights of its own.
        `rights=$(dpkg -L ${quote(service)} 2>/dev/null | while read -r it; do if [ -d "$it" ] && [ ! -L "$it" ]; then stat -c '%a %u:%g %n' -- "$it"; fi; done)`,
        install,
        'while read -r mode owner it; do if [ -d "$it" ]; then chown -- "$owner" "$it"; chmod -- "00$mode" "$it"; fi; done <<RIGHTS\n$rights\nRIGHTS',
        '[ -z "$quiet" ] || rm -f -- "$quiet"',
        `if [ -d /run/systemd/system ]; then systemctl restart ${quote(service)}; else service ${quote(service)} restart; fi`,
      ]
    : [install]

const othersOf = ({ or, insteadOf }: PackageTask): string[] => [or, insteadOf].filter(it => it !== undefined)

/** From what was looked at ahead: no process. */
const lookOther = (other: string) => `
case "$ke_nl$ke_dpkg$ke_nl" in *"$ke_nl"${quote(`${other}|install|installed|`)}* | *"$ke_nl"${quote(`${other}|hold|installed|`)}*) echo ${quote(`other ${other}`)} ;; esac`

const noManager = 'none of apt, dnf and zypper is on this host'

const word = (it: boolean) => (it ? 'yes' : 'no')

const fits = (version: string | null, wanted: string | undefined): boolean => {
  if (wanted === undefined || version === null) return wanted === undefined
  return wanted.endsWith('*') ? version.startsWith(wanted.slice(0, -1)) : version === wanted
}

const begin = (manager: Manager, name: string, seconds: number) =>
  `n=${quote(name)}\n${managers[manager].words(seconds)}`

const end = 'rm -f -- "$t"'

const isInstalled = (manager: Manager) => `{ ${managers[manager].look}; } | grep -qx 'status installed'`

/** dnf 4 lists `squid-7:5.5-6.el9.*`, dnf 5 `Package name: squid`, zypper `1 | squid | package | (any)`. */
const isLocked = (output: string, name: string): boolean =>
  output
    .split('\n')
    .filter(line => line.startsWith('lock '))
    .map(line => line.slice(5))
    .some(line =>
      line.includes('|')
        ? line.split('|')[1]?.trim() === name
        : line === `Package name: ${name}` ||
          (line.startsWith(`${name}-`) && /^!?\d/.test(line.slice(name.length + 1))),
    )

const checked = (task: PackageTask): PackageTask => {
  const bad = (what: string) =>
    new Problem(`package ${JSON.stringify(task.name)} cannot be asked for`, {
      why: `${what} is not written as the package managers write it`,
      next: 'correct it where the task is written',
      exit: 2,
    })
  for (const it of [task.name, ...othersOf(task), ...Object.values(task.names ?? {}), ...Object.keys(task.names ?? {})])
    if (!/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/.test(it)) throw bad(JSON.stringify(it))
  if (leavingBy(task).some(it => /^(openssh(-server)?|dropbear(-bin)?)$/.test(it)))
    throw new Problem(`package ${task.name} cannot be taken away`, {
      why: 'it is how we come in, and a host without network or archive could not bring it back by itself',
      next: 'do that by hand, from the console of the host',
      exit: 2,
    })
  if (task.version !== undefined && !/^[\w.+:~^-]+\*?$/.test(task.version)) throw bad(JSON.stringify(task.version))
  return task
}
