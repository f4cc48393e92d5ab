import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Wanting } from '../engine/desired.ts'
import { Problem } from '../engine/problem.ts'
import { isRef } from '../engine/refs.ts'
import type { Policy } from '../policy/policy.ts'
import { policyText } from '../policy/policy-file.ts'
import { handshakeLog, loopbackPort, portWords, servedCertificate } from './client-certificates.ts'
import { kernelLimits, type Limits, limitsScript, putLimits, squidLimits } from './limits.ts'
import { innerRanges, refuseOverlaps } from './overlap.ts'
import { ownAddresses, ownAddressesTask } from './own-addresses.ts'
import { checkSquid, reloadSquid, startSquid } from './squid-shell.ts'
import { ownCertificate, sniHelper, squidPackage, type TlsTenant, tlsTasks } from './squid-tls.ts'
import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'
import { policies, policyHelper, spool } from './tasks/policy.ts'
import type { UfwTask } from './tasks/ufw-task.ts'
import { render } from './template.ts'
import { tenantAddresses } from './tenant-addresses.ts'

export type SquidTenant = TlsTenant & {
  name: string
  port: number
  /** Where its requests come from: CIDRs, or a Ref to addresses. Tenants on one port must not overlap. */
  clients: Wanting<string[]>
  /** The address it leaves with, where the host has several. */
  outgoing?: Wanting<string>
  limits?: Limits | undefined
  policy: Policy
}

export type SquidOptions = {
  hostName: string
  tenants: SquidTenant[]
  /** CIDRs that are refused by resolved address, besides all special ranges: the private network, the proxy itself. */
  inner: string[]
  /** Addresses by which others reach this host, besides those that it finds on its links: refused like `inner`. */
  own?: Wanting<string>[]
  nameservers?: string[]
  /** What clients call it by, where they are to know it by a certificate: names and IPv4 addresses. */
  names?: string[]
  /** How long logs stay on the host. */
  keepDays?: number
  /** The host's variables, which its templates read as `vars`. */
  vars?: Record<string, unknown>
}

/**
 * A name that every proxy refuses its tenants, with 307 if its helper has a policy, and does not log: what those ask who
 * look whether it is well.
 */
export const healthName = 'proxy-health.invalid'

export const auditLog = '/var/log/squid/audit.log'

/** Everything that makes a host an egress proxy, in order, and the handlers its files notify. */
export const squidTasks = (options: SquidOptions) => {
  const { hostName, tenants, inner, own = [], nameservers = [], names = [], keepDays = 90, vars = {} } = options
  const filled = (path: string, data: Record<string, unknown>) => render(path, { vars, ...data })
  for (const { name } of tenants) if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) throw badName(name)
  for (const it of nameservers) if (!isIP(it)) throw badName(it)
  refuseOverlaps(
    tenants.flatMap(({ clients, ...it }) => (isRef(clients) ? [] : [{ ...it, clients: clients as string[] }])),
  )
  const fill: NonNullable<FileTask['fill']> = {}
  // A word in the place of what is not known yet.
  const later = (word: string, value: unknown) => {
    if (!isRef(value)) return value
    fill[word] = value as never
    return word
  }
  const listeners = [...new Set(tenants.map(it => it.port))].sort((a, b) => a - b)
  const conf = filled('etc/squid/squid.conf', {
    inner: innerRanges(inner),
    own: own.map((it, n) => later(`@own:${n}@`, it)),
    ownAddresses,
    nameservers,
    auditLog,
    healthName,
    tenants: tenants.map(({ name, port, clients, outgoing, limits, sni, certificates }) => ({
      ...{ name, port, sni: sni === 'verify', outgoing: later(`@address:${name}@`, outgoing) ?? null },
      clients: isRef(clients) ? [] : clients,
      nodes: isRef(clients) ? later(`@clients:${name}@`, clients) : null,
      ...squidLimits(limits),
      certified: portWords({ name, port, certificates }),
    })),
    listeners,
    helper: policyHelper,
    ...{ ownCertificate, sniHelper, servedCertificate, handshakeLog, loopback: loopbackPort(listeners) },
    policies,
    spool,
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

const badName = (name: string) =>
  new Problem(`${JSON.stringify(name)} cannot be used in squid.conf`, {
    why: 'a tenant is named in lower-case letters, digits and dashes (at most 40), a name server by its address',
    next: 'correct it in the inventory',
    exit: 2,
  })
