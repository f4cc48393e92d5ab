import { readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { auditLog } from './squid-conf.ts'
import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'
import { policies, spool } from './tasks/policy.ts'
import { render } from './template.ts'

/** Of the machine and of Squid, as Debian's exporters listen; and of our own watch. */
export const exporterPorts = { node: 9100, squid: 9301 }
export const healthPort = 9302

export type MonitoringOptions = {
  /** Where exporters and the watch listen; null: everywhere, and only the firewall chooses. */
  listen: string | null
  /** Squid's own. */
  ports: number[]
  /** Those that are looked at: to connect there and ask for nothing would be a line in a log. */
  quietPorts?: number[]
  /** The one at which Squid tells its own metrics. */
  squidPort?: number
  tenants: string[]
}

/** Exporters of Debian's, and our watch beside them: counts the audit log, tells policies, answers /health. */
export const monitoringTasks = ({
  listen,
  ports,
  quietPorts = [],
  squidPort = ports[0]!,
  tenants,
}: MonitoringOptions) => {
  if (listen !== null && !isIPv4(listen)) throw new TypeError(`${listen} is no IPv4 address`)
  const address = listen ?? '0.0.0.0'
  const options = [
    `${address}:${healthPort}`,
    ...[
      `${metrics}/egress.prom`,
      auditLog,
      policies,
      spool,
      ports.map(it => (quietPorts.includes(it) ? `${it}/look` : it)).join(','),
      [...new Set(tenants)].sort().join(','),
    ],
  ].join(' ')
  const file = (path: string, content: string, service: string, more: Partial<FileTask> = {}): Task => ({
    ...{ task: 'file', path, content, mode: '0644', owner: 'root', group: 'root', notify: [`restart ${service}`] },
    ...more,
  })
  const filled = (path: string, service: string, data: Record<string, unknown> = {}, more: Partial<FileTask> = {}) =>
    file(`/${path}`, render(path, data), service, more)
  const tasks: Task[] = [
    { task: 'package', name: node },
    { task: 'package', name: squid },
    { task: 'directory', path: metrics, mode: '0755', owner: 'prometheus', group: 'prometheus' },
    filled(`etc/default/${node}`, node, { address, port: exporterPorts.node, directory: metrics }),
    filled(`etc/systemd/system/${node}.service.d/kapsule-egress.conf`, node),
    filled(`etc/default/${squid}`, squid, { address, port: exporterPorts.squid, squidPort }),
    filled(`etc/systemd/system/${squid}.service.d/kapsule-egress.conf`, squid),
    file(program, readFileSync(source, 'utf8'), watch, { mode: '0755', check: 'perl -c {}' }),
    filled(`etc/systemd/system/${watch}.service`, watch, { command: `${program} ${options}`, directory: metrics }),
    filled(`etc/init.d/${watch}`, watch, { program, options }, { mode: '0755', check: 'sh -n {}' }),
    ...[node, squid, watch].map((name): Task => ({ task: 'service', name, running: true, enabled: true })),
  ]
  const handlers = Object.fromEntries([node, squid, watch].map(it => [`restart ${it}`, restart(it)]))
  const tagged = tasks.map(it => ({ ...it, tags: ['monitoring', ...(it.task === 'package' ? ['packages'] : [])] }))
  return { tasks: tagged, handlers }
}

const node = 'prometheus-node-exporter'
const squid = 'prometheus-squid-exporter'
const watch = 'kapsule-egress-watch'
const metrics = '/var/lib/prometheus/kapsule-egress'
const program = '/usr/local/lib/kapsule-egress/watch'
const source = new URL('../../templates/usr/local/lib/kapsule-egress/watch', import.meta.url)

/** What was just started has read its files; what is stopped on purpose stays so. */
const restart = (name: string) => `if grep -qx ${name} "$KE_STOPPED" 2>/dev/null; then :
elif grep -qx '${name} started' "$KE_SURE" 2>/dev/null; then :
elif [ -d /run/systemd/system ]; then systemctl daemon-reload; systemctl restart ${name}
else service ${name} restart
fi`
