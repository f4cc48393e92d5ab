import { readFileSync } from 'node:fs'
import { policyText } from '../policy/policy-file.ts'
import { kernelLimits, limitsScript, putLimits } from './limits.ts'
import { innerRanges } from './overlap.ts'
import { ownAddressesTask } from './own-addresses.ts'
import { type SquidOptions, squidConf } from './squid-conf.ts'
import { checkSquid, reloadSquid, startSquid } from './squid-shell.ts'
import { squidPackage, tlsTasks } from './squid-tls.ts'
import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'
import { policies, policyHelper } from './tasks/policy.ts'
import type { UfwTask } from './tasks/ufw-task.ts'
import { render } from './template.ts'
import { tenantAddresses } from './tenant-addresses.ts'

/** Everything that makes a host an egress proxy, in order, and the handlers its files notify. */
export const squidTasks = (options: SquidOptions) => {
  const { hostName, tenants, names = [], keepDays = 90, vars = {} } = options
  const filled = (path: string, data: Record<string, unknown>) => render(path, { vars, ...data })
  const { text: conf, fill, listeners } = squidConf(options)
  const file = (path: string, content: string, more: Partial<FileTask> = {}): Task => ({
    task: 'file',
    path,
    content,
    mode: '0644',
    owner: 'root',
    group: 'root',
    ...more,
  })
  const leaving = Object.keys(fill).filter(it => it.startsWith('@address:'))
  const tasks: Task[] = [
    squidPackage(tenants),
    // Of nft(8), for the moment in which Squid's ports are closed.
    { task: 'package', name: 'nftables' },
    { task: 'directory', path: policies, mode: '0755', owner: 'root', group: 'root' },
    { task: 'directory', path: '/var/log/squid', mode: '0750', owner: 'proxy', group: 'proxy' },
    file(policyHelper, readFileSync(helperSource, 'utf8'), { mode: '0755', check: 'perl -c {}', notify: [reload] }),
    ...tenants.map(({ name, policy }): Task => ({ task: 'policy', tenant: name, text: policyText(policy) })),
    ...tenantAddresses(leaving, fill, file, filled, daemonReload),
    ownAddressesTask([reload]),
    ...tlsTasks(hostName, names, tenants, file, [reload]),
    file('/etc/squid/squid.conf', conf, {
      ...(Object.keys(fill).length > 0 && { fill }),
      check: checkSquid,
      notify: [reload],
    }),
    file(limitsScript, filled('usr/local/lib/kapsule-egress/client-limits', { limits: kernelLimits(tenants) }), {
      ...{ mode: '0755', check: 'sh -n {}', notify: [limit] },
    }),
    // Somebody may have flushed the kernel's rules.
    { task: 'command', name: 'limits of clients', unless: `${limitsScript} --check`, run: limitsScript },
    file('/etc/logrotate.d/squid', filled('etc/logrotate.d/squid', { keepDays })),
    file(
      '/etc/systemd/system/squid.service.d/limits.conf',
      filled('etc/systemd/system/squid.service.d/limits.conf', {}),
      {
        notify: [daemonReload],
      },
    ),
    { task: 'service', name: 'squid', running: true, enabled: true, listens: listeners, startWith: startSquid },
  ]
  const handlers = {
    [daemonReload]: 'if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi',
    [limit]: putLimits,
    [reload]: reloadSquid(),
  }
  return { tasks: tasks.map(it => ({ ...it, tags: tagsOf(it) })), handlers }
}

/** For `--tags`: the policies alone, the packages alone, or all that is Squid's. */
const tagsOf = (it: Task): string[] => {
  if (it.task === 'package') return ['squid', 'packages']
  return it.task === 'policy' ? ['squid', 'policy', 'allowlist'] : ['squid']
}

const helperSource = new URL('../../templates/usr/local/lib/kapsule-egress/policy-helper', import.meta.url)
const reload = 'reload squid'
const daemonReload = 'reload systemd'
const limit = 'limit clients'

export type UfwOptions = {
  ssh: { allow: string[]; port: number }
  proxy: { from: string[]; ports: number[] }
  /** Who may read what exporters tell. */
  metrics?: { from: string[]; ports: number[] }
  /** Who may ask whether the proxy is well. */
  health?: { from: string[]; ports: number[] }
  /** What Squid needs besides public addresses, and what is inside besides all special ranges. */
  outgoing?: { nameservers: string[]; inner: string[] }
  confirmSeconds?: number
}

/**
 * SSH from those who administrate, the proxy from its tenants, nothing else in; SSH first. Out goes everything but what
 * the proxy's own user has no business with, so a proxy that was taken over cannot look around inside.
 */
export const ufwTask = ({ ssh, proxy, metrics, health, outgoing, confirmSeconds }: UfwOptions): UfwTask => {
  const allow = (ranges: string[], ports: number[], comment: string) =>
    ports.flatMap(port =>
      ranges.map(from => ({ from, port, proto: 'tcp' as const, comment, action: 'allow' as const })),
    )
  return {
    task: 'ufw',
    rules: [
      ...allow(ssh.allow, [ssh.port], 'ssh'),
      ...allow(proxy.from, proxy.ports, 'proxy'),
      ...(metrics ? allow(metrics.from, metrics.ports, 'metrics') : []),
      ...(health ? allow(health.from, health.ports, 'health') : []),
    ],
    defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
    ...(outgoing && {
      outgoing: { user: 'proxy', nameservers: outgoing.nameservers, refuse: innerRanges(outgoing.inner) },
    }),
    enabled: true,
    ...(confirmSeconds ? { confirmSeconds } : {}),
  }
}
