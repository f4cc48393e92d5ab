import { decide } from '../policy/decide.ts'
import { readEntries } from '../policy/entries.ts'
import type { Request } from '../policy/policy.ts'
import type { Say } from './say.ts'
import type { ContextFile } from './schema-context.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/**
 * The gates look from inside the pods, through the tenant's own policy: an echo service that is not allowed would
 * fail every rollout, and a forbidden probe that is allowed would prove nothing.
 */
export const checkEcho = ({ verify, policy: shared }: Parts<ContextFile>, tenant: Parts<TenantFile>, say: Say) => {
  const { egress } = tenant
  const { allow, deny } = egress ?? {}
  if (!allow || !verify || egress?.mode === 'report') return
  const told = { tenant: '', egress: { allow, deny, mode: 'enforce' as const } }
  const { policy, placed } = readEntries(shared ?? {}, told)
  // An entry with a mistake in it may be the one that allows.
  const entries = [allow, deny, shared?.allow, shared?.deny].reduce((sum, it) => sum + (it?.length ?? 0), 0)
  if (placed.length < entries) return
  for (const url of verify.echo ?? []) {
    const wanted = url === undefined ? undefined : requestOf(url)
    if (!wanted) continue
    const { verdict, why: reason } = decide(policy, wanted)
    if (verdict === 'allowed') continue
    const why = `the gates ask it from inside the pods, and Squid would refuse: ${reason}`
    const next = `add { domain: ${wanted.host}, ports: [${wanted.port}] }, or change verify.echo`
    say(['egress', 'allow'], `${url} of verify.echo is not allowed`, why, next)
  }
  for (const [at, url] of (tenant.verify?.allowed ?? []).entries()) {
    const wanted = url === undefined ? undefined : requestOf(url)
    const decided = wanted && decide(policy, wanted)
    if (!wanted || decided?.verdict === 'allowed') continue
    const why = `Squid would refuse it: ${decided?.why}`
    say(['verify', 'allowed', at], `${url} is not allowed`, why, 'allow it under egress.allow, or take it out here')
  }
  const { prove } = tenant.rollout?.externalAllowlist ?? {}
  const proof = prove === undefined ? undefined : requestOf(/^https:/.test(prove) ? prove : `https://${prove}/`)
  const proved = proof && decide(policy, proof)
  if (proved && proved.verdict !== 'allowed') {
    const why = `Squid would refuse it: ${proved.why}`
    const next = `add { domain: ${proof.host}, ports: [${proof.port}] } to egress.allow`
    say(['rollout', 'externalAllowlist', 'prove'], `${prove} is not allowed`, why, next)
  }
  const probe = verify.forbidden === undefined ? undefined : requestOf(verify.forbidden)
  const open = probe && decide(policy, probe)
  if (open?.verdict !== 'allowed') return
  const place = placed.find(it => it.rule.id === open.rule)?.place
  const why = `the gates want ${verify.forbidden} to be refused`
  const path = place?.of === 'tenant' ? ['egress', 'allow', place.at, 'domain'] : ['egress', 'allow']
  say(path, 'verify.forbidden is allowed', why, 'change verify.forbidden')
}

const requestOf = (url: string): Request | undefined => {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return { method: 'GET', protocol: 'http', scheme: 'http', host, port: Number(port || 80) }
  return { method: 'CONNECT', protocol: 'connect', scheme: '', host, port: Number(port || 443) }
}

/** What one service says may be a lie, or a cache: two hosts are two witnesses. */
export const checkWitnesses = ({ verify }: Parts<ContextFile>, say: Say) => {
  const hosts = (verify?.echo ?? []).flatMap(it => (it && URL.canParse(it) ? [new URL(it).hostname] : []))
  if (hosts.length === 0 || new Set(hosts).size > 1) return
  const why = 'gates ask it what address a pod is seen with, and nobody else confirms that'
  say(['verify', 'echo'], `only ${hosts[0]} is asked`, why, 'name a second service, run by somebody else')
}
