import { isIP } from 'node:net'
import type { Wanting } from '../engine/desired.ts'
import { Problem } from '../engine/problem.ts'
import { isRef } from '../engine/refs.ts'
import type { Policy } from '../policy/policy.ts'
import { handshakeLog, loopbackPort, portWords, servedCertificate } from './client-certificates.ts'
import { type Limits, squidLimits } from './limits.ts'
import { innerRanges, refuseOverlaps } from './overlap.ts'
import { ownAddresses } from './own-addresses.ts'
import { ownCertificate, sniHelper, type TlsTenant } from './squid-tls.ts'
import type { FileTask } from './tasks/file.ts'
import { policies, policyHelper, spool } from './tasks/policy.ts'
import { render } from './template.ts'

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

/** Where Squid finds its files. Without `pidFile` it is the usual one. */
type SquidPlaces = {
  ownAddresses: string
  helper: string
  policies: string
  spool: string
  auditLog: string
  cacheLog: string
  pidFile: string | null
}

const onHost: SquidPlaces = {
  ...{ ownAddresses, helper: policyHelper, policies, spool, auditLog },
  ...{ cacheLog: '/var/log/squid/cache.log', pidFile: null },
}

/** squid.conf, of a host or of a pod. `fill`: words in it that stand for what is known later. */
export const squidConf = (
  { tenants, inner, own = [], nameservers = [], vars = {} }: Omit<SquidOptions, 'hostName'>,
  places: SquidPlaces = onHost,
): { text: string; fill: NonNullable<FileTask['fill']>; listeners: number[] } => {
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
  const text = render('etc/squid/squid.conf', {
    vars,
    inner: innerRanges(inner),
    own: own.map((it, n) => later(`@own:${n}@`, it)),
    nameservers,
    healthName,
    tenants: tenants.map(({ name, port, clients, outgoing, limits, sni, certificates }) => ({
      ...{ name, port, sni: sni === 'verify', outgoing: later(`@address:${name}@`, outgoing) ?? null },
      clients: isRef(clients) ? [] : clients,
      nodes: isRef(clients) ? later(`@clients:${name}@`, clients) : null,
      ...squidLimits(limits),
      certified: portWords({ name, port, certificates }),
    })),
    listeners,
    ...{ ownCertificate, sniHelper, servedCertificate, handshakeLog, loopback: loopbackPort(listeners) },
    ...places,
  })
  return { text, fill, listeners }
}

const badName = (name: string) =>
  new Problem(`${JSON.stringify(name)} cannot be used in squid.conf`, {
    why: 'a tenant is named in lower-case letters, digits and dashes (at most 40), a name server by its address',
    next: 'correct it in the inventory',
    exit: 2,
  })
