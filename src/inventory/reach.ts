import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

type Entry = { domain?: string | undefined; ports?: (number | undefined)[] | undefined } | undefined

const standardPorts = [80, 443]

/** Does an entry of an allowlist say all that another one says? `.x.test` is x.test and everything below it. */
export const isCovered = (entry: Entry, by: Entry): boolean => {
  if (!entry?.domain || !by?.domain) return false
  const names = by.domain.startsWith('.') ? `.${entry.domain}`.endsWith(by.domain) : by.domain === entry.domain
  const ports = by.ports ?? standardPorts
  return names && (entry.ports ?? standardPorts).every(it => ports.includes(it))
}

/**
 * The gates look from inside the pods, through the tenant's own allowlist: an echo service that is not on it would
 * fail every rollout, and a forbidden probe that is on it would prove nothing.
 */
export const checkEcho = ({ verify }: Parts<ContextFile>, { egress }: Parts<TenantFile>, say: Say) => {
  const allow = egress?.allow
  if (!allow || !verify || egress.mode === 'report') return
  // An entry with a mistake in it may be the one that allows.
  if (allow.some(it => !it?.domain || it.ports?.includes(undefined))) return
  for (const url of verify.echo ?? []) {
    const wanted = url === undefined ? undefined : destinationOf(url)
    if (!wanted || allow.some(it => isCovered(wanted, it))) continue
    const why = 'the gates ask it from inside the pods, and Squid would refuse'
    const next = `add { domain: ${wanted.domain}, ports: [${wanted.ports}] }, or change verify.echo`
    say(['egress', 'allow'], `${url} of verify.echo is not allowed`, why, next)
  }
  const probe = verify.forbidden === undefined ? undefined : destinationOf(verify.forbidden)
  const open = probe && allow.findIndex(it => isCovered(probe, it))
  if (open === undefined || open < 0) return
  const why = `the gates want ${verify.forbidden} to be refused`
  say(['egress', 'allow', open, 'domain'], 'verify.forbidden is allowed', why, 'change verify.forbidden')
}

const destinationOf = (url: string) => {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  return { domain: hostname, ports: [port ? Number(port) : protocol === 'http:' ? 80 : 443] }
}
