import { type Json, sameJson } from '../engine/json.ts'
import type { Path } from './document.ts'
import { type ProxyFile, proxiesAt } from './proxies.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

type Served = { file: Parts<TenantFile>; proxy: Parts<ProxyFile> }

/** Which tenants are on which machine, as the files are gone through. */
export type Machines = Map<string, Served[]>

/** What one machine has only one of. */
const ofMachine = ['privateIp', 'type', 'image', 'rootVolumeGb', 'zone', 'protect'] as const

/** A server takes five flexible IPs: its own, and those of tenants. */
const most = 5

/** Tenants on one proxy: the same machine in every file, and for each tenant a port and an address of its own. */
export const checkShared = (
  { cluster }: Parts<ContextFile>,
  file: Parts<TenantFile>,
  machines: Machines,
  say: Say,
): void => {
  const ports = new Set(proxiesAt(file).map(it => it.proxy.port))
  if (ports.size > 1 && !ports.has(undefined))
    say(['egress', 'proxies'], `its proxies listen on ${[...ports].join(', ')}`, 'pods know one port', 'write one port')
  for (const { path, proxy } of proxiesAt(file)) {
    const { name } = proxy
    if (name === undefined) continue
    const others = (machines.get(name) ?? []).filter(it => it.file.tenant !== file.tenant)
    machines.set(name, [...(machines.get(name) ?? []), { file, proxy }])
    if (others.length > 0)
      checkTogether(
        path,
        { file, proxy },
        others,
        cluster?.kubeconfig !== undefined || proxy.existing !== undefined,
        say,
      )
  }
}

/** A warning: the proxy knows the nodes that the pool had when it was configured, and this pool goes on without us. */
export const noteScaling = (file: Parts<TenantFile>, all: readonly Parts<TenantFile>[], say: Say): void => {
  const shares = proxiesAt(file).find(({ proxy }) =>
    all.some(it => it !== file && proxiesAt(it).some(other => other.proxy.name === proxy.name)),
  )
  if (!shares || !file.pool?.autoscaling || file.egress?.clients) return
  say(
    ['pool', 'autoscaling'],
    `new nodes of ${file.pool.name} are refused by ${shares.proxy.name} until 40-configure.mjs runs`,
    'a proxy that tenants share knows them by the nodes that stood when it was configured',
    'run it when status.mjs names nodes, or write egress.clients: [CIDR] (docs/shared-proxies.md)',
  )
}

const checkTogether = (path: Path, { file, proxy }: Served, others: Served[], foreign: boolean, say: Say) => {
  const first = others[0]!
  const { name, port, flexibleIp, existing } = proxy
  for (const field of ofMachine) {
    const [mine, theirs] = [proxy[field], first.proxy[field]]
    if (sameJson(mine, theirs)) continue
    const what = `proxy ${name} has ${field} ${mine ?? '(none)'} here, and ${theirs ?? '(none)'} for ${first.file.tenant}`
    const next = theirs === undefined ? `leave ${field} out` : `write ${field}: ${theirs}`
    say([...path, ...(mine === undefined ? [] : [field])], what, 'they are one machine', next)
  }
  if (existing?.host !== first.proxy.existing?.host)
    say([...path, 'existing'], `proxy ${name} is another machine for ${first.file.tenant}`, 'they are one', 'name one')
  const near = others.find(it => (it.proxy.port ?? 3128) === (port ?? 3128))
  if (near && !(file.egress?.clients && near.file.egress?.clients))
    say(
      [...path, 'port'],
      `port ${port ?? 3128} of ${name} is taken by ${near.file.tenant}`,
      'tenants are told apart by the port that they ask',
      `write another one, e.g. port: ${freePort(others)}, or clients for both`,
    )
  else if (near && (asksWho(file) || asksWho(near.file)))
    say(
      [...path, 'port'],
      `port ${port ?? 3128} of ${name} would ask some clients for certificates, and ${near.file.tenant} is on it`,
      'who shows one is known before anything is asked',
      `write another one, e.g. port: ${freePort(others)}`,
    )
  if (!existing) {
    const same = others.find(it => it.proxy.flexibleIp === flexibleIp)
    const which = flexibleIp === undefined ? `the address of ${name} itself` : `the address ${flexibleIp}`
    if (same)
      say(
        [...path, 'flexibleIp'],
        `${which} is taken by ${same.file.tenant}`,
        'each tenant leaves with its own',
        `write flexibleIp: ${file.tenant ?? 'its name'}`,
      )
    const named = [...others, { proxy }].filter(it => it.proxy.flexibleIp !== undefined).length
    if (named > most - 1)
      say(
        [...path, 'flexibleIp'],
        `${name} would have ${named + 1} public addresses`,
        `Scaleway gives a server ${most}`,
        'put the tenant on another proxy',
      )
  }
  if (foreign && !file.egress?.clients)
    say(
      ['egress', 'clients'],
      `nobody says where requests of ${file.tenant} come from`,
      `${name} serves several tenants, and the nodes of a cluster that exists already are not known here`,
      'write clients: [CIDR], the addresses of its nodes',
    )
  for (const [key, value] of Object.entries(file.vars ?? {})) {
    const other = others.find(
      it => it.file.vars && key in it.file.vars && !sameJson(it.file.vars[key] as Json, value as Json),
    )
    if (other)
      say(['vars', key], `${key} is another for ${other.file.tenant}`, `${name} is one host`, 'say it once, or alike')
  }
}

const asksWho = ({ egress }: Parts<TenantFile>) => egress?.clientCertificates !== undefined

const freePort = (others: Served[]): number => {
  for (let port = 3128; ; port++) if (!others.some(it => (it.proxy.port ?? 3128) === port)) return port
}
