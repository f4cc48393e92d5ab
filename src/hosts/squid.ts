import { isIP } from 'node:net'
import { Problem } from '../engine/problem.ts'
import { type Allowed, type AllowGroup, allowGroups } from './allowlist.ts'
import { innerRanges, refuseOverlaps } from './overlap.ts'
import { checkList, checkSquid, reloadSquid } from './squid-shell.ts'
import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'
import type { UfwTask } from './tasks/ufw-task.ts'
import { render } from './template.ts'

export type SquidTenant = {
  name: string
  port: number
  /** Where its requests come from: CIDRs. Tenants on one port must not overlap. */
  clients: string[]
  allow: Allowed[]
  /** `report` lets through what it would deny, and says so in the audit log. */
  mode: 'enforce' | 'report'
}

export type SquidOptions = {
  hostName: string
  tenants: SquidTenant[]
  /** CIDRs that are refused by resolved address, besides all special ranges: the private network, the proxy itself. */
  inner: string[]
  nameservers?: string[]
  /** The host's variables, which its templates read as `vars`. */
  vars?: Record<string, unknown>
}

export const auditLog = '/var/log/squid/audit.log'

const lists = '/etc/squid/egress'

/** Everything that makes a host an egress proxy, in order, and the handlers its files notify. */
export const squidTasks = ({ hostName, tenants, inner, nameservers = [], vars = {} }: SquidOptions) => {
  const filled = (path: string, data: Record<string, unknown>) => render(path, { vars, ...data })
  for (const { name } of tenants) if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) throw badName(name)
  for (const it of nameservers) if (!isIP(it)) throw badName(it)
  refuseOverlaps(tenants)
  const shown = tenants.map(tenant => ({ ...tenant, groups: grouped(tenant) }))
  const groups = shown.flatMap(it => it.groups)
  const ports = (of: 'tls' | 'plain', usual: number) =>
    [...new Set([usual, ...groups.flatMap(it => it[of])])].sort((a, b) => a - b)
  const conf = filled('etc/squid/squid.conf', {
    hostName,
    inner: innerRanges(inner),
    nameservers,
    auditLog,
    tenants: shown,
    listeners: [...new Set(tenants.map(it => it.port))].sort((a, b) => a - b),
    tlsPorts: ports('tls', 443),
    plainPorts: ports('plain', 80),
  })
  const file = (path: string, content: string, more: Partial<FileTask> = {}): Task => ({
    task: 'file',
    path,
    content,
    mode: '0644',
    owner: 'root',
    group: 'root',
    ...more,
  })
  const tasks: Task[] = [
    { task: 'package', name: 'squid' },
    { task: 'directory', path: lists, mode: '0755', owner: 'root', group: 'root' },
    { task: 'directory', path: '/var/log/squid', mode: '0750', owner: 'proxy', group: 'proxy' },
    ...shown.flatMap(({ name, groups }) =>
      groups.map(({ path, names }) =>
        file(path, filled('etc/squid/egress/allow.txt', { tenant: name, names }), {
          check: checkList,
          notify: [reload],
        }),
      ),
    ),
    file('/etc/squid/squid.conf', conf, { check: checkSquid, notify: [reload] }),
    file('/etc/logrotate.d/squid', filled('etc/logrotate.d/squid', {})),
    file(
      '/etc/systemd/system/squid.service.d/limits.conf',
      filled('etc/systemd/system/squid.service.d/limits.conf', {}),
      {
        notify: [daemonReload],
      },
    ),
    { task: 'service', name: 'squid', running: true, enabled: true },
  ]
  const handlers = {
    [daemonReload]: 'if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi',
    [reload]: reloadSquid(tenants[0]?.port ?? 3128),
  }
  return { tasks: tasks.map(it => ({ ...it, tags: tagsOf(it) })), handlers }
}

/** For `--tags`: the allowlists alone, the packages alone, or all that is Squid's. */
const tagsOf = (it: Task): string[] => {
  if (it.task === 'package') return ['squid', 'packages']
  return it.task === 'file' && it.path.startsWith(`${lists}/`) ? ['squid', 'allowlist'] : ['squid']
}

const reload = 'reload squid'
const daemonReload = 'reload systemd'

// No list for a tenant without names: Squid warns of an empty one, and nothing is allowed without.
const grouped = ({ name, allow }: SquidTenant): (AllowGroup & { path: string; id: string })[] =>
  allowGroups(allow, name).map((group, n) => ({
    ...group,
    id: `${name}.${n}`,
    path: `${lists}/${name}${n ? `-${n + 1}` : ''}.txt`,
  }))

export type UfwOptions = {
  ssh: { allow: string[]; port: number }
  proxy: { from: string[]; ports: number[] }
  confirmSeconds?: number
}

/** SSH from those who administrate, the proxy from its tenants, nothing else in; SSH first. */
export const ufwTask = ({ ssh, proxy, confirmSeconds }: UfwOptions): UfwTask => ({
  task: 'ufw',
  rules: [
    ...ssh.allow.map(from => ({
      from,
      port: ssh.port,
      proto: 'tcp' as const,
      comment: 'ssh',
      action: 'allow' as const,
    })),
    ...proxy.ports.flatMap(port =>
      proxy.from.map(from => ({ from, port, proto: 'tcp' as const, comment: 'proxy', action: 'allow' as const })),
    ),
  ],
  defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
  enabled: true,
  ...(confirmSeconds ? { confirmSeconds } : {}),
})

const badName = (name: string) =>
  new Problem(`${JSON.stringify(name)} cannot be used in squid.conf`, {
    why: 'a tenant is named in lower-case letters, digits and dashes (at most 40), a name server by its address',
    next: 'correct it in the inventory',
    exit: 2,
  })
